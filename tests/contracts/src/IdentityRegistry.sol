// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {AgentToken} from "./AgentToken.sol";
import {Upgradeable} from "./Upgradeable.sol";
import {WalletProof} from "./WalletProof.sol";

/// A double of the ERC-8004 identity registry, version 2.0.0: the same events in the same order, the same rules for wallets.
/// At a registration the wallet is stored before the receiver is called and announced long after, so what a receiver does in
/// between makes the announcement stale. That is the original's behaviour, and what these tests are about.
contract IdentityRegistry is Upgradeable, AgentToken, WalletProof {
    struct MetadataEntry {
        string metadataKey;
        bytes metadataValue;
    }

    string internal constant WALLET_KEY = "agentWallet";

    event Registered(uint256 indexed agentId, string agentURI, address indexed owner);
    event MetadataSet(
        uint256 indexed agentId, string indexed indexedMetadataKey, string metadataKey, bytes metadataValue
    );
    event URIUpdated(uint256 indexed agentId, string newURI, address indexed updatedBy);

    function initialize() external virtual onlyOwner initializer(2) {}

    function getVersion() external pure virtual returns (string memory) {
        return "2.0.0";
    }

    function register() external returns (uint256 agentId) {
        agentId = _mint();
        _announce(agentId, "");
    }

    function register(string memory agentURI) external returns (uint256 agentId) {
        agentId = _mint();
        _setTokenURI(agentId, agentURI);
        _announce(agentId, agentURI);
    }

    function register(string memory agentURI, MetadataEntry[] memory metadata) external returns (uint256 agentId) {
        agentId = _mint();
        _setTokenURI(agentId, agentURI);
        _announce(agentId, agentURI);
        for (uint256 i = 0; i < metadata.length; i++) {
            _setMetadata(agentId, metadata[i].metadataKey, metadata[i].metadataValue);
        }
    }

    function setAgentURI(uint256 agentId, string calldata newURI) external {
        _requireWriter(agentId);
        _setTokenURI(agentId, newURI);
        emit URIUpdated(agentId, newURI, msg.sender);
    }

    function getMetadata(uint256 agentId, string memory metadataKey) external view returns (bytes memory) {
        return _state().metadata[agentId][metadataKey];
    }

    function setMetadata(uint256 agentId, string memory metadataKey, bytes memory metadataValue) external {
        _requireWriter(agentId);
        _setMetadata(agentId, metadataKey, metadataValue);
    }

    function getAgentWallet(uint256 agentId) external view virtual returns (address) {
        return address(bytes20(_state().metadata[agentId][WALLET_KEY]));
    }

    function setAgentWallet(uint256 agentId, address newWallet, uint256 deadline, bytes calldata signature)
        external
        virtual
    {
        address owner = _requireWriter(agentId);
        _requireProof(agentId, newWallet, owner, deadline, signature);
        _setWallet(agentId, abi.encodePacked(newWallet));
    }

    function unsetAgentWallet(uint256 agentId) external virtual {
        _requireWriter(agentId);
        _setWallet(agentId, "");
    }

    function isAuthorizedOrOwner(address spender, uint256 agentId) external view returns (bool) {
        return _isAuthorized(ownerOf(agentId), spender, agentId);
    }

    function _mint() internal virtual returns (uint256 agentId) {
        agentId = _state().lastId++;
        _state().metadata[agentId][WALLET_KEY] = abi.encodePacked(msg.sender);
        _safeMint(msg.sender, agentId);
    }

    function _announce(uint256 agentId, string memory uri) internal virtual {
        emit Registered(agentId, uri, msg.sender);
        emit MetadataSet(agentId, WALLET_KEY, WALLET_KEY, abi.encodePacked(msg.sender));
    }

    function _move(address to, uint256 agentId) internal virtual override {
        if (_state().owners[agentId] != address(0)) _setWallet(agentId, "");
        super._move(to, agentId);
    }

    function _setWallet(uint256 agentId, bytes memory value) internal {
        _state().metadata[agentId][WALLET_KEY] = value;
        emit MetadataSet(agentId, WALLET_KEY, WALLET_KEY, value);
    }

    function _setMetadata(uint256 agentId, string memory key, bytes memory value) private {
        require(keccak256(bytes(key)) != keccak256(bytes(WALLET_KEY)), "reserved key");
        _state().metadata[agentId][key] = value;
        emit MetadataSet(agentId, key, key, value);
    }

    function _requireWriter(uint256 agentId) internal view returns (address owner) {
        owner = ownerOf(agentId);
        require(_isAuthorized(owner, msg.sender, agentId), "Not authorized");
    }
}
