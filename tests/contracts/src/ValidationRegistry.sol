// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Upgradeable} from "./Upgradeable.sol";
import {IIdentity} from "./ReputationRegistry.sol";

/// A double of the ERC-8004 validation registry, version 2.0.0, without its averages.
/// The named validator may answer a request several times; the last answer is what is stored.
contract ValidationRegistry is Upgradeable {
    struct Status {
        address validator;
        uint256 agentId;
        uint8 response;
        bytes32 responseHash;
        string tag;
        uint256 lastUpdate;
    }

    struct ValidationState {
        address identity;
        mapping(bytes32 requestHash => Status) status;
        mapping(uint256 agentId => bytes32[]) byAgent;
        mapping(address validator => bytes32[]) byValidator;
    }

    bytes32 private constant STATE_SLOT = keccak256("hallmark.test-double.validation");

    event ValidationRequest(
        address indexed validatorAddress, uint256 indexed agentId, string requestURI, bytes32 indexed requestHash
    );
    event ValidationResponse(
        address indexed validatorAddress,
        uint256 indexed agentId,
        bytes32 indexed requestHash,
        uint8 response,
        string responseURI,
        bytes32 responseHash,
        string tag
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

    function validationRequest(
        address validatorAddress,
        uint256 agentId,
        string calldata requestURI,
        bytes32 requestHash
    ) external {
        require(validatorAddress != address(0), "bad validator");
        require(_state().status[requestHash].validator == address(0), "exists");
        require(IIdentity(_state().identity).isAuthorizedOrOwner(msg.sender, agentId), "Not authorized");
        Status storage status = _state().status[requestHash];
        status.validator = validatorAddress;
        status.agentId = agentId;
        status.lastUpdate = block.timestamp;
        _state().byAgent[agentId].push(requestHash);
        _state().byValidator[validatorAddress].push(requestHash);
        emit ValidationRequest(validatorAddress, agentId, requestURI, requestHash);
    }

    function validationResponse(
        bytes32 requestHash,
        uint8 response,
        string calldata responseURI,
        bytes32 responseHash,
        string calldata tag
    ) external {
        Status storage status = _state().status[requestHash];
        require(status.validator != address(0), "unknown");
        require(msg.sender == status.validator, "not validator");
        require(response <= 100, "resp>100");
        status.response = response;
        status.responseHash = responseHash;
        status.tag = tag;
        status.lastUpdate = block.timestamp;
        emit ValidationResponse(msg.sender, status.agentId, requestHash, response, responseURI, responseHash, tag);
    }

    function getValidationStatus(bytes32 requestHash)
        external
        view
        returns (address, uint256, uint8, bytes32, string memory, uint256)
    {
        Status storage status = _state().status[requestHash];
        require(status.validator != address(0), "unknown");
        return
            (status.validator, status.agentId, status.response, status.responseHash, status.tag, status.lastUpdate);
    }

    function getAgentValidations(uint256 agentId) external view returns (bytes32[] memory) {
        return _state().byAgent[agentId];
    }

    function getValidatorRequests(address validatorAddress) external view returns (bytes32[] memory) {
        return _state().byValidator[validatorAddress];
    }

    function _state() private pure returns (ValidationState storage state) {
        bytes32 slot = STATE_SLOT;
        assembly {
            state.slot := slot
        }
    }
}
