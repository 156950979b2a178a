// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

interface IERC1271 {
    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4);
}

/// The proof a wallet gives before it is named by an agent: an EIP-712 signature over agent, wallet, current owner and deadline.
/// The key of the address is tried first, then the contract at the address is asked. There is no nonce: a proof may be used again.
abstract contract WalletProof {
    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant WALLET_TYPEHASH =
        keccak256("AgentWalletSet(uint256 agentId,address newWallet,address owner,uint256 deadline)");
    uint256 private constant DEADLINE_MAX = 5 minutes;
    /// Half of the curve's order: of the two forms of a signature only the one with the low `s` counts.
    uint256 private constant S_MAX = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    event EIP712DomainChanged();

    function eip712Domain()
        external
        view
        returns (bytes1, string memory, string memory, uint256, address, bytes32, uint256[] memory)
    {
        return (0x0f, "ERC8004IdentityRegistry", "1", block.chainid, address(this), 0, new uint256[](0));
    }

    function _requireProof(uint256 agentId, address wallet, address owner, uint256 deadline, bytes memory signature)
        internal
        view
    {
        require(wallet != address(0), "bad wallet");
        require(block.timestamp <= deadline, "expired");
        require(deadline <= block.timestamp + DEADLINE_MAX, "deadline too far");
        bytes32 domain = keccak256(
            abi.encode(DOMAIN_TYPEHASH, keccak256("ERC8004IdentityRegistry"), keccak256("1"), block.chainid, address(this))
        );
        bytes32 message = keccak256(abi.encode(WALLET_TYPEHASH, agentId, wallet, owner, deadline));
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", domain, message));
        require(
            _recover(digest, signature) == wallet || _contractAgrees(wallet, digest, signature), "invalid wallet sig"
        );
    }

    /// The address whose key made the signature, or zero where it is none.
    function _recover(bytes32 digest, bytes memory signature) private pure returns (address) {
        if (signature.length != 65) return address(0);
        bytes32 r;
        bytes32 s;
        uint8 v;
        assembly {
            r := mload(add(signature, 32))
            s := mload(add(signature, 64))
            v := byte(0, mload(add(signature, 96)))
        }
        return uint256(s) > S_MAX ? address(0) : ecrecover(digest, v, r, s);
    }

    function _contractAgrees(address wallet, bytes32 digest, bytes memory signature) private view returns (bool) {
        (bool ok, bytes memory answer) =
            wallet.staticcall(abi.encodeCall(IERC1271.isValidSignature, (digest, signature)));
        return ok && answer.length >= 32
            && abi.decode(answer, (bytes32)) == bytes32(IERC1271.isValidSignature.selector);
    }
}
