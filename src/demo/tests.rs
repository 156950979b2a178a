//! Tests.
use super::*;
#[test]
fn loads() {
    let r = Recording::shipped().unwrap();
    assert_eq!(r.blocks().len(), 3366);
}
