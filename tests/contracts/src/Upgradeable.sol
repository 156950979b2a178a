// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// What every implementation of a registry shares: an owner, numbered initialisers, and UUPS upgrades (ERC-1822 under ERC-1967).
/// Its state stands in a slot of its own, so that implementations can replace each other behind one proxy.
abstract contract Upgradeable {
    bytes32 internal constant IMPLEMENTATION_SLOT = 0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc;
    bytes32 private constant STATE_SLOT = keccak256("hallmark.test-double.upgradeable");

    struct UpgradeableState {
        address owner;
        uint64 initialized;
    }

    event Upgraded(address indexed implementation);
    event OwnershipTransferred(address indexed previousOwner, address indexed newOwner);
    event Initialized(uint64 version);

    error InvalidInitialization();
    error OwnableUnauthorizedAccount(address account);
    error OwnableInvalidOwner(address owner);

    modifier onlyOwner() {
        if (msg.sender != owner()) revert OwnableUnauthorizedAccount(msg.sender);
        _;
    }

    /// Runs the body once per version; the event comes after everything the body emits.
    modifier initializer(uint64 version) {
        if (_upgradeable().initialized >= version) revert InvalidInitialization();
        _upgradeable().initialized = version;
        _;
        emit Initialized(version);
    }

    function owner() public view returns (address) {
        return _upgradeable().owner;
    }

    function transferOwnership(address newOwner) external onlyOwner {
        if (newOwner == address(0)) revert OwnableInvalidOwner(newOwner);
        _setOwner(newOwner);
    }

    function renounceOwnership() external onlyOwner {
        _setOwner(address(0));
    }

    function proxiableUUID() external pure returns (bytes32) {
        return IMPLEMENTATION_SLOT;
    }

    function upgradeToAndCall(address implementation, bytes calldata call) external payable onlyOwner {
        require(Upgradeable(implementation).proxiableUUID() == IMPLEMENTATION_SLOT, "not upgradeable");
        bytes32 slot = IMPLEMENTATION_SLOT;
        assembly {
            sstore(slot, implementation)
        }
        emit Upgraded(implementation);
        if (call.length == 0) return;
        (bool ok, bytes memory answer) = implementation.delegatecall(call);
        if (!ok) {
            assembly {
                revert(add(answer, 32), mload(answer))
            }
        }
    }

    function _setOwner(address newOwner) internal {
        address previous = _upgradeable().owner;
        _upgradeable().owner = newOwner;
        emit OwnershipTransferred(previous, newOwner);
    }

    function _upgradeable() private pure returns (UpgradeableState storage state) {
        bytes32 slot = STATE_SLOT;
        assembly {
            state.slot := slot
        }
    }
}
