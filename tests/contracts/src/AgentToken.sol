// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

interface IERC721Receiver {
    function onERC721Received(address operator, address from, uint256 tokenId, bytes calldata data)
        external
        returns (bytes4);
}

/// The token part of the identity registry: ERC-721 with a stored URI (ERC-4906), errors of ERC-6093.
/// A transfer ends the single approval without an event; an operator is approved by an owner, for whatever that owner holds.
abstract contract AgentToken {
    /// The registry's whole state. The id counter comes first: its slot is what a reader of raw storage relies on.
    struct IdentityState {
        uint256 lastId;
        mapping(uint256 agentId => mapping(string key => bytes)) metadata;
        mapping(uint256 agentId => address) owners;
        mapping(address account => uint256) balances;
        mapping(uint256 agentId => address) approvals;
        mapping(address owner => mapping(address operator => bool)) operators;
        mapping(uint256 agentId => string) uris;
        mapping(uint256 agentId => address) otherWallets;
    }

    bytes32 private constant STATE_SLOT = 0xa040f782729de4970518741823ec1276cbcd41a0c7493f62d173341566a04e00;

    event Transfer(address indexed from, address indexed to, uint256 indexed tokenId);
    event Approval(address indexed owner, address indexed approved, uint256 indexed tokenId);
    event ApprovalForAll(address indexed owner, address indexed operator, bool approved);
    event MetadataUpdate(uint256 _tokenId);
    event BatchMetadataUpdate(uint256 _fromTokenId, uint256 _toTokenId);

    error ERC721NonexistentToken(uint256 tokenId);
    error ERC721IncorrectOwner(address sender, uint256 tokenId, address owner);
    error ERC721InsufficientApproval(address operator, uint256 tokenId);
    error ERC721InvalidApprover(address approver);
    error ERC721InvalidOperator(address operator);
    error ERC721InvalidOwner(address owner);
    error ERC721InvalidReceiver(address receiver);

    function name() external pure returns (string memory) {
        return "AgentIdentity";
    }

    function symbol() external pure returns (string memory) {
        return "AGENT";
    }

    function supportsInterface(bytes4 id) external pure returns (bool) {
        return id == 0x01ffc9a7 || id == 0x80ac58cd || id == 0x5b5e139f || id == 0x49064906;
    }

    function ownerOf(uint256 agentId) public view returns (address owner) {
        owner = _state().owners[agentId];
        if (owner == address(0)) revert ERC721NonexistentToken(agentId);
    }

    function balanceOf(address account) external view returns (uint256) {
        if (account == address(0)) revert ERC721InvalidOwner(account);
        return _state().balances[account];
    }

    function tokenURI(uint256 agentId) external view returns (string memory) {
        ownerOf(agentId);
        return _state().uris[agentId];
    }

    function approve(address to, uint256 agentId) external {
        address owner = ownerOf(agentId);
        if (msg.sender != owner && !isApprovedForAll(owner, msg.sender)) revert ERC721InvalidApprover(msg.sender);
        _state().approvals[agentId] = to;
        emit Approval(owner, to, agentId);
    }

    function getApproved(uint256 agentId) public view returns (address) {
        ownerOf(agentId);
        return _state().approvals[agentId];
    }

    function setApprovalForAll(address operator, bool approved) external {
        if (operator == address(0)) revert ERC721InvalidOperator(operator);
        _state().operators[msg.sender][operator] = approved;
        emit ApprovalForAll(msg.sender, operator, approved);
    }

    function isApprovedForAll(address owner, address operator) public view returns (bool) {
        return _state().operators[owner][operator];
    }

    function transferFrom(address from, address to, uint256 agentId) public {
        if (to == address(0)) revert ERC721InvalidReceiver(to);
        address owner = ownerOf(agentId);
        if (!_isAuthorized(owner, msg.sender, agentId)) revert ERC721InsufficientApproval(msg.sender, agentId);
        if (owner != from) revert ERC721IncorrectOwner(from, agentId, owner);
        _move(to, agentId);
    }

    function safeTransferFrom(address from, address to, uint256 agentId) external {
        safeTransferFrom(from, to, agentId, "");
    }

    function safeTransferFrom(address from, address to, uint256 agentId, bytes memory data) public {
        transferFrom(from, to, agentId);
        _askReceiver(from, to, agentId, data);
    }

    function _isAuthorized(address owner, address spender, uint256 agentId) internal view returns (bool) {
        return spender != address(0)
            && (spender == owner || isApprovedForAll(owner, spender) || spender == getApproved(agentId));
    }

    function _safeMint(address to, uint256 agentId) internal {
        _move(to, agentId);
        _askReceiver(address(0), to, agentId, "");
    }

    function _setTokenURI(uint256 agentId, string memory uri) internal {
        _state().uris[agentId] = uri;
        emit MetadataUpdate(agentId);
    }

    /// Every change of owner goes through here, the mint included. Implementations add what comes before the `Transfer`.
    function _move(address to, uint256 agentId) internal virtual {
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

    function _askReceiver(address from, address to, uint256 agentId, bytes memory data) private {
        if (to.code.length == 0) return;
        try IERC721Receiver(to).onERC721Received(msg.sender, from, agentId, data) returns (bytes4 answer) {
            if (answer != IERC721Receiver.onERC721Received.selector) revert ERC721InvalidReceiver(to);
        } catch (bytes memory reason) {
            if (reason.length == 0) revert ERC721InvalidReceiver(to);
            assembly {
                revert(add(reason, 32), mload(reason))
            }
        }
    }

    function _state() internal pure returns (IdentityState storage state) {
        bytes32 slot = STATE_SLOT;
        assembly {
            state.slot := slot
        }
    }
}
