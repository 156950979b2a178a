// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IdentityRegistry} from "./IdentityRegistry.sol";

/// An implementation nobody knows yet: the same ABI, other rules, so that what the events say of a wallet is not what is stored.
///
/// - A proven wallet is announced, but the owner is what `getAgentWallet` answers until `settleWallet` is called.
/// - `settleWallet` changes the answer and emits no wallet event, only a `MetadataSet` under another key.
/// - A transfer keeps the wallet and emits `Transfer` alone.
/// - At a registration the wallet is announced before `Registered`.
contract IdentityRegistryNext is IdentityRegistry {
    function initialize() external override onlyOwner initializer(3) {}

    function getVersion() external pure override returns (string memory) {
        return "3.0.0-test";
    }

    function getAgentWallet(uint256 agentId) external view override returns (address) {
        address other = _state().otherWallets[agentId];
        return other != address(0) ? other : address(bytes20(_state().metadata[agentId][WALLET_KEY]));
    }

    function setAgentWallet(uint256 agentId, address newWallet, uint256 deadline, bytes calldata signature)
        external
        override
    {
        address owner = _requireWriter(agentId);
        _requireProof(agentId, newWallet, owner, deadline, signature);
        _state().otherWallets[agentId] = owner;
        _setWallet(agentId, abi.encodePacked(newWallet));
    }

    function settleWallet(uint256 agentId, address wallet) external {
        _requireWriter(agentId);
        _state().otherWallets[agentId] = wallet;
        emit MetadataSet(agentId, "walletSettled", "walletSettled", "");
    }

    function unsetAgentWallet(uint256 agentId) external override {
        _requireWriter(agentId);
        delete _state().otherWallets[agentId];
        _setWallet(agentId, "");
    }

    function _announce(uint256 agentId, string memory uri) internal override {
        emit MetadataSet(agentId, WALLET_KEY, WALLET_KEY, abi.encodePacked(msg.sender));
        emit Registered(agentId, uri, msg.sender);
    }

    function _move(address to, uint256 agentId) internal override {
        IdentityState storage state = _state();
        address from = state.owners[agentId];
        if (from != address(0)) {
            delete state.approvals[agentId];
            state.balances[from] -= 1;
        }
        state.balances[to] += 1;
        state.owners[agentId] = to;
        emit Transfer(from, to, agentId);
    }
}
