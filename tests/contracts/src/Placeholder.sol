// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Upgradeable} from "./Upgradeable.sol";

/// What stands behind a registry's proxy from its deployment until the first real implementation: an owner and nothing else.
contract Placeholder is Upgradeable {
    function initialize(address firstOwner) external initializer(1) {
        _setOwner(firstOwner);
    }

    function getVersion() external pure returns (string memory) {
        return "1.0.0";
    }
}
