//! What a database is bound to.

use crate::support::databases::on_both_engines;

on_both_engines! {
    /// A new database is bound to nothing.
    async fn a_new_database_is_bound_to_nothing(db: Database) {
        let mut tx = db.begin_read().await.unwrap();
        assert_eq!(tx.binding().await.unwrap(), None);
    }
}
