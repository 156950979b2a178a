// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// A contract that owns agents, and that may call back into the registry while it is being given one.
/// It is a wallet too (ERC-1271), so an agent can name it, with no key behind it. Anybody may use it: it is for tests.
contract Registrant {
    /// In the calls of `registerWith`, a word of all ones stands for the id of the agent that is just being made.
    uint256 private constant THIS_AGENT = type(uint256).max;

    bytes[] private inside;

    /// Makes `registration`, a call of the registry, and the calls `callbacks` inside the first `onERC721Received` that follows.
    function registerWith(address registry, bytes calldata registration, bytes[] calldata callbacks) external {
        inside = callbacks;
        _call(registry, registration);
        delete inside;
    }

    /// Makes all calls in one transaction, in order.
    function execute(address target, bytes[] calldata calls) external {
        for (uint256 i = 0; i < calls.length; i++) {
            _call(target, calls[i]);
        }
    }

    function onERC721Received(address, address, uint256 agentId, bytes calldata) external returns (bytes4) {
        bytes[] memory calls = inside;
        // A registration inside the callback leads here again, and must find nothing left to do.
        delete inside;
        for (uint256 i = 0; i < calls.length; i++) {
            _fillIn(calls[i], agentId);
            _call(msg.sender, calls[i]);
        }
        return this.onERC721Received.selector;
    }

    /// Agrees to the signature "yes" and to no other.
    function isValidSignature(bytes32, bytes calldata signature) external pure returns (bytes4) {
        return keccak256(signature) == keccak256("yes") ? bytes4(0x1626ba7e) : bytes4(0xffffffff);
    }

    function _fillIn(bytes memory data, uint256 agentId) private pure {
        for (uint256 offset = 36; offset <= data.length; offset += 32) {
            uint256 word;
            assembly {
                word := mload(add(data, offset))
            }
            if (word != THIS_AGENT) continue;
            assembly {
                mstore(add(data, offset), agentId)
            }
        }
    }

    function _call(address target, bytes memory data) private {
        (bool ok, bytes memory answer) = target.call(data);
        if (ok) return;
        assembly {
            revert(add(answer, 32), mload(answer))
        }
    }
}
