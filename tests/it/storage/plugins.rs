//! Projectors that were installed, replaced and removed.

use hallmark::storage::Plugin;
use hallmark::vocab::Digest;

use super::attestations::at;
use crate::support::databases::on_both_engines;

on_both_engines! {
    async fn one_of_a_name_takes_the_place_of_another(db: Database) {
        let plugin = |id: &str, component: &[u8]| Plugin {
            id: id.to_owned(),
            version: "1.0.0".to_owned(),
            digest: Digest::of(component),
            parameters: "{\"a\":1}".to_owned(),
            added_at: at(5),
        };
        let mut tx = db.begin_write().await.unwrap();
        assert_eq!(tx.plugins().await.unwrap(), []);
        let large = vec![7; 3 << 20];
        for (id, component) in [("b", &large[..]), ("a", b"one"), ("a", b"two")] {
            tx.put_plugin(&plugin(id, component), component).await.unwrap();
        }
        assert_eq!(tx.plugins().await.unwrap(), [plugin("a", b"two"), plugin("b", &large)]);
        assert_eq!(tx.plugin_component("a").await.unwrap().as_deref(), Some(&b"two"[..]));
        assert_eq!(tx.plugin_component("b").await.unwrap(), Some(large));
        assert_eq!(tx.plugin_component("c").await.unwrap(), None);
        assert_eq!((tx.remove_plugin("a").await.unwrap(), tx.remove_plugin("a").await.unwrap()), (true, false));
        assert_eq!(tx.plugins().await.unwrap().len(), 1);
    }
}
