// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// A wallet without a key of its own (ERC-1271): what its keeper signed, it has signed.
contract ContractWallet {
    address public immutable keeper;

    constructor(address keeper_) {
        keeper = keeper_;
    }

    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        if (signature.length != 65) return 0xffffffff;
        bytes32 r = bytes32(signature[:32]);
        bytes32 s = bytes32(signature[32:64]);
        address signer = ecrecover(hash, uint8(signature[64]), r, s);
        return signer != address(0) && signer == keeper ? bytes4(0x1626ba7e) : bytes4(0xffffffff);
    }
}
