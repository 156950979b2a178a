// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {ContractWallet} from "./ContractWallet.sol";

/// Makes wallets at addresses that are known before they are there: they can sign from the first day on (ERC-6492).
contract WalletFactory {
    function create(address keeper, bytes32 salt) external returns (address) {
        return address(new ContractWallet{salt: salt}(keeper));
    }

    function addressOf(address keeper, bytes32 salt) external view returns (address) {
        bytes32 code = keccak256(abi.encodePacked(type(ContractWallet).creationCode, abi.encode(keeper)));
        return address(uint160(uint256(keccak256(abi.encodePacked(hex"ff", address(this), salt, code)))));
    }
}
