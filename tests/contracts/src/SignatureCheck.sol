// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

interface ISigner {
    function isValidSignature(bytes32 digest, bytes calldata signature) external view returns (bytes4);
}

/// Whether a contract takes a signature for its own (ERC-1271), also one that is not deployed yet (ERC-6492).
///
/// It is never deployed: the program sends it as a creation that is only simulated, in one read-only call, and the answer is one word,
/// a number of `registry::ContractSays`. Keys are not its concern. A contract that is there is asked as it is, and its factory left
/// alone, since a call of a stranger's choice could put it into another state first.
contract SignatureCheck {
    uint256 private constant NO_CODE = 0;
    uint256 private constant AGREES = 1;
    uint256 private constant DISAGREES = 2;
    uint256 private constant NOT_DEPLOYED = 3;
    uint256 private constant AGREES_ONCE_DEPLOYED = 4;
    uint256 private constant DISAGREES_ONCE_DEPLOYED = 5;

    constructor(address account, bytes32 digest, bytes memory signature, address factory, bytes memory creation) {
        uint256 found = NO_CODE;
        if (account.code.length > 0) {
            found = _agrees(account, digest, signature) ? AGREES : DISAGREES;
        } else if (factory != address(0)) {
            _run(factory, creation);
            if (account.code.length == 0) found = NOT_DEPLOYED;
            else found = _agrees(account, digest, signature) ? AGREES_ONCE_DEPLOYED : DISAGREES_ONCE_DEPLOYED;
        }
        assembly ("memory-safe") {
            mstore(0, found)
            return(0, 32)
        }
    }

    /// Of a stranger's answer one word is looked at, however long it is.
    function _agrees(address account, bytes32 digest, bytes memory signature) private view returns (bool agrees) {
        bytes memory call_ = abi.encodeCall(ISigner.isValidSignature, (digest, signature));
        bytes32 yes = bytes32(ISigner.isValidSignature.selector);
        assembly ("memory-safe") {
            mstore(0, 0)
            let ok := staticcall(gas(), account, add(call_, 32), mload(call_), 0, 32)
            agrees := and(and(ok, gt(returndatasize(), 31)), eq(mload(0), yes))
        }
    }

    /// Whether it worked is seen by what is there afterwards.
    function _run(address factory, bytes memory creation) private {
        assembly ("memory-safe") {
            pop(call(gas(), factory, 0, add(creation, 32), mload(creation), 0, 0))
        }
    }
}
