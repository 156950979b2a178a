//! Projectors that the operator installed: each component with the digest of its bytes and its parameters.

use sqlx::FromRow;

use super::columns::{Cell, signed};
use super::engine::on_engine;
use super::{StorageError, Tx};
use crate::vocab::{Digest, UnixSeconds};

const ALL: &str = "SELECT id, version, digest, parameters, added_at FROM plugin ORDER BY id";
const COMPONENT: &str = "SELECT component FROM plugin WHERE id = $1";
const PUT: &str = "
    INSERT INTO plugin (id, version, digest, component, parameters, added_at) VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (id) DO UPDATE
    SET version = excluded.version, digest = excluded.digest, component = excluded.component,
        parameters = excluded.parameters, added_at = excluded.added_at";
const REMOVE: &str = "DELETE FROM plugin WHERE id = $1";

/// A projector that was installed, without its component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plugin {
    /// Its name.
    pub id: String,
    /// Its version.
    pub version: String,
    /// The SHA-256 of its component.
    pub digest: Digest,
    /// What it is set to: a JSON object.
    pub parameters: String,
    /// When it was installed.
    pub added_at: UnixSeconds,
}

#[derive(FromRow)]
struct PluginRow {
    id: String,
    version: String,
    digest: Vec<u8>,
    parameters: String,
    added_at: i64,
}

impl TryFrom<PluginRow> for Plugin {
    type Error = StorageError;

    fn try_from(row: PluginRow) -> Result<Self, StorageError> {
        let cell = |column| Cell { table: "plugin", column, row: &row.id };
        Ok(Self {
            digest: Digest(cell("digest").hash(&row.digest)?),
            added_at: cell("added_at").time(row.added_at)?,
            id: row.id.clone(),
            version: row.version.clone(),
            parameters: row.parameters.clone(),
        })
    }
}

impl Tx {
    /// The projectors that are installed, by their names.
    pub async fn plugins(&mut self) -> Result<Vec<Plugin>, StorageError> {
        let rows: Vec<PluginRow> =
            on_engine!(self, conn => sqlx::query_as(ALL).fetch_all(conn).await)?;
        rows.into_iter().map(Plugin::try_from).collect()
    }

    /// The component of a projector; `None` where it is not installed.
    pub async fn plugin_component(&mut self, id: &str) -> Result<Option<Vec<u8>>, StorageError> {
        Ok(on_engine!(self, conn => sqlx::query_scalar(COMPONENT)
            .bind(id).fetch_optional(conn).await)?)
    }

    /// Installs a projector, in the place of one with the same name.
    pub async fn put_plugin(
        &mut self,
        plugin: &Plugin,
        component: &[u8],
    ) -> Result<(), StorageError> {
        let added_at = signed("time", plugin.added_at.get())?;
        on_engine!(self, conn => sqlx::query(PUT)
            .bind(plugin.id.as_str()).bind(plugin.version.as_str())
            .bind(plugin.digest.as_bytes().as_slice()).bind(component)
            .bind(plugin.parameters.as_str()).bind(added_at)
            .execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Removes a projector; whether there was one.
    pub async fn remove_plugin(&mut self, id: &str) -> Result<bool, StorageError> {
        let removed = on_engine!(self, conn => sqlx::query(REMOVE)
            .bind(id).execute(conn).await.map(|done| done.rows_affected()))?;
        Ok(removed > 0)
    }
}
