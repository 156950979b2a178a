// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Upgradeable} from "./Upgradeable.sol";

interface IIdentity {
    function isAuthorizedOrOwner(address spender, uint256 agentId) external view returns (bool);
}

/// A double of the ERC-8004 reputation registry, version 2.0.0, without its sums over many feedbacks.
/// An index counts one client's feedback on one agent, from 1. The endpoint, the URI and its hash live in the event only.
contract ReputationRegistry is Upgradeable {
    struct Feedback {
        int128 value;
        uint8 valueDecimals;
        bool isRevoked;
        string tag1;
        string tag2;
    }

    struct ReputationState {
        address identity;
        mapping(uint256 agentId => address[]) clients;
        mapping(uint256 agentId => mapping(address client => uint64)) lastIndex;
        mapping(uint256 agentId => mapping(address client => mapping(uint64 index => Feedback))) feedback;
        mapping(uint256 agentId => mapping(address client => mapping(uint64 index => mapping(address => uint64))))
            responses;
    }

    bytes32 private constant STATE_SLOT = keccak256("hallmark.test-double.reputation");
    int128 private constant VALUE_MAX = 1e38;

    event NewFeedback(
        uint256 indexed agentId,
        address indexed clientAddress,
        uint64 feedbackIndex,
        int128 value,
        uint8 valueDecimals,
        string indexed indexedTag1,
        string tag1,
        string tag2,
        string endpoint,
        string feedbackURI,
        bytes32 feedbackHash
    );
    event FeedbackRevoked(uint256 indexed agentId, address indexed clientAddress, uint64 indexed feedbackIndex);
    event ResponseAppended(
        uint256 indexed agentId,
        address indexed clientAddress,
        uint64 feedbackIndex,
        address indexed responder,
        string responseURI,
        bytes32 responseHash
    );

    function initialize(address identityRegistry) external onlyOwner initializer(2) {
        require(identityRegistry != address(0), "bad identity");
        _state().identity = identityRegistry;
    }

    function getVersion() external pure returns (string memory) {
        return "2.0.0";
    }

    function getIdentityRegistry() external view returns (address) {
        return _state().identity;
    }

    function giveFeedback(
        uint256 agentId,
        int128 value,
        uint8 valueDecimals,
        string calldata tag1,
        string calldata tag2,
        string calldata endpoint,
        string calldata feedbackURI,
        bytes32 feedbackHash
    ) external {
        require(valueDecimals <= 18, "too many decimals");
        require(value >= -VALUE_MAX && value <= VALUE_MAX, "value too large");
        require(!IIdentity(_state().identity).isAuthorizedOrOwner(msg.sender, agentId), "Self-feedback not allowed");
        uint64 index = ++_state().lastIndex[agentId][msg.sender];
        if (index == 1) _state().clients[agentId].push(msg.sender);
        _state().feedback[agentId][msg.sender][index] = Feedback(value, valueDecimals, false, tag1, tag2);
        emit NewFeedback(
            agentId, msg.sender, index, value, valueDecimals, tag1, tag1, tag2, endpoint, feedbackURI, feedbackHash
        );
    }

    function revokeFeedback(uint256 agentId, uint64 feedbackIndex) external {
        _requireIndex(agentId, msg.sender, feedbackIndex);
        Feedback storage feedback = _state().feedback[agentId][msg.sender][feedbackIndex];
        require(!feedback.isRevoked, "Already revoked");
        feedback.isRevoked = true;
        emit FeedbackRevoked(agentId, msg.sender, feedbackIndex);
    }

    function appendResponse(
        uint256 agentId,
        address clientAddress,
        uint64 feedbackIndex,
        string calldata responseURI,
        bytes32 responseHash
    ) external {
        require(bytes(responseURI).length > 0, "Empty URI");
        _requireIndex(agentId, clientAddress, feedbackIndex);
        _state().responses[agentId][clientAddress][feedbackIndex][msg.sender] += 1;
        emit ResponseAppended(agentId, clientAddress, feedbackIndex, msg.sender, responseURI, responseHash);
    }

    function readFeedback(uint256 agentId, address clientAddress, uint64 feedbackIndex)
        external
        view
        returns (int128, uint8, string memory, string memory, bool)
    {
        _requireIndex(agentId, clientAddress, feedbackIndex);
        Feedback storage feedback = _state().feedback[agentId][clientAddress][feedbackIndex];
        return (feedback.value, feedback.valueDecimals, feedback.tag1, feedback.tag2, feedback.isRevoked);
    }

    function getResponseCount(uint256 agentId, address clientAddress, uint64 feedbackIndex, address[] calldata responders)
        external
        view
        returns (uint64 count)
    {
        for (uint256 i = 0; i < responders.length; i++) {
            count += _state().responses[agentId][clientAddress][feedbackIndex][responders[i]];
        }
    }

    function getClients(uint256 agentId) external view returns (address[] memory) {
        return _state().clients[agentId];
    }

    function getLastIndex(uint256 agentId, address clientAddress) external view returns (uint64) {
        return _state().lastIndex[agentId][clientAddress];
    }

    function _requireIndex(uint256 agentId, address client, uint64 index) private view {
        require(index > 0, "index must be > 0");
        require(index <= _state().lastIndex[agentId][client], "index out of bounds");
    }

    function _state() private pure returns (ReputationState storage state) {
        bytes32 slot = STATE_SLOT;
        assembly {
            state.slot := slot
        }
    }
}
