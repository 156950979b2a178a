//! Which projectors there are: those that ship, and those that the operator installed.
//!
//! A component is compiled when it is first needed, and again only when another takes its place. Installing is the operator's, who has the
//! database; what runs needs nobody's trust.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use crate::plugin::{PluginError, Projector, Sandbox, built, component_of};
use crate::project::ProjectorName;
use crate::storage::{Database, Plugin, StorageError, Tx};
use crate::vocab::{Digest, UnixSeconds};

/// How long an answer waits for an installed component to be compiled.
const COMPILING: Duration = Duration::from_secs(5);
/// So many compiled components are kept.
const COMPILED_MAX: usize = 64;
/// The most bytes of parameters.
const PARAMETERS_MAX: usize = 64 << 10;

/// A projector that can be run.
#[derive(Debug)]
pub struct Loaded {
    /// The component.
    pub projector: Projector,
    /// What it is set to: a JSON object.
    pub parameters: String,
}

impl Loaded {
    /// Which component it is.
    #[must_use]
    pub fn name(&self) -> ProjectorName {
        let description = &self.projector.description;
        ProjectorName {
            id: description.id.clone(),
            version: description.version.clone(),
            digest: self.projector.digest.to_string(),
        }
    }
}

/// A projector, as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// Its name.
    pub id: String,
    /// Whether it ships.
    pub is_built_in: bool,
    /// What is stored of it; `None` where it ships.
    pub plugin: Option<Plugin>,
}

/// Why a projector is not installed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// It is none.
    #[error(transparent)]
    Plugin(#[from] PluginError),
    /// Its parameters are no JSON object.
    #[error("the parameters are no JSON object of at most {PARAMETERS_MAX} bytes: {0}")]
    Parameters(String),
    /// The database failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Compiled components, by the digest of their bytes.
type Compiled = BTreeMap<Digest, Result<Projector, PluginError>>;

/// All projectors. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Projectors {
    database: Database,
    held: Arc<Held>,
}

#[derive(Debug, Default)]
struct Held {
    sandbox: OnceLock<Result<Sandbox, PluginError>>,
    compiled: Mutex<Compiled>,
    /// Held by whoever compiles what the operator installed, and what ships.
    compiling: Arc<tokio::sync::Mutex<()>>,
    compiling_shipped: Arc<tokio::sync::Mutex<()>>,
}

impl Projectors {
    pub(super) fn new(database: Database) -> Self {
        Self { database, held: Arc::default() }
    }

    fn sandbox(&self) -> Result<Sandbox, PluginError> {
        self.held.sandbox.get_or_init(Sandbox::new).clone()
    }

    /// Loads a component that is installed nowhere.
    ///
    /// # Errors
    /// When it is no projector, or the parameters are no JSON object.
    pub fn load(&self, bytes: &[u8], parameters: &str) -> Result<Arc<Loaded>, InstallError> {
        check_parameters(parameters)?;
        let projector = self.sandbox()?.load(&component_of(bytes)?)?;
        Ok(Arc::new(Loaded { projector, parameters: parameters.to_owned() }))
    }

    /// Installs a component, in the place of one that has its name.
    ///
    /// # Errors
    /// When it is no projector, its parameters are no JSON object, or the database fails.
    pub async fn add(
        &self,
        bytes: &[u8],
        parameters: &str,
        now: UnixSeconds,
    ) -> Result<Plugin, InstallError> {
        check_parameters(parameters)?;
        let component = component_of(bytes)?;
        let projector = self.sandbox()?.load(&component)?;
        // What it refuses for every agent is said now, and not on each card.
        if let Err(refused @ PluginError::Refused(_)) = projector.try_parameters(parameters) {
            return Err(refused.into());
        }
        let plugin = Plugin {
            id: projector.description.id,
            version: projector.description.version,
            digest: projector.digest,
            parameters: parameters.to_owned(),
            added_at: now,
        };
        let mut tx = self.database.begin_write().await?;
        tx.put_plugin(&plugin, &component).await?;
        tx.commit().await?;
        Ok(plugin)
    }

    /// Removes a component; whether it was installed. One that ships with the same name is back then.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove(&self, id: &str) -> Result<bool, StorageError> {
        let mut tx = self.database.begin_write().await?;
        let removed = tx.remove_plugin(id).await?;
        tx.commit().await?;
        Ok(removed)
    }

    /// Every projector, by its name; an installed one stands in the place of one that ships with the same name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&self, tx: &mut Tx) -> Result<Vec<Installed>, StorageError> {
        let shipped = built().iter().map(|built| {
            let id = built.id.to_owned();
            (id.clone(), Installed { id, is_built_in: true, plugin: None })
        });
        let mut all: BTreeMap<String, Installed> = shipped.collect();
        for plugin in tx.plugins().await? {
            let id = plugin.id.clone();
            all.insert(id.clone(), Installed { id, is_built_in: false, plugin: Some(plugin) });
        }
        Ok(all.into_values().collect())
    }

    /// A projector that can be run; the inner error says why it cannot.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn get(
        &self,
        tx: &mut Tx,
        installed: &Installed,
    ) -> Result<Result<Arc<Loaded>, PluginError>, StorageError> {
        let (digest, parameters) = match &installed.plugin {
            Some(plugin) => (plugin.digest, plugin.parameters.clone()),
            None => (built_digest(&installed.id), "{}".to_owned()),
        };
        let held = self.held.get(digest);
        let projector = if let Some(held) = held {
            held
        } else {
            self.compile_of(tx, installed, digest).await?
        };
        Ok(projector.map(|projector| Arc::new(Loaded { projector, parameters })))
    }

    async fn compile_of(
        &self,
        tx: &mut Tx,
        installed: &Installed,
        digest: Digest,
    ) -> Result<Result<Projector, PluginError>, StorageError> {
        if let Some(plugin) = &installed.plugin {
            let component = tx.plugin_component(&plugin.id).await?.unwrap_or_default();
            let compiled = self.compile(&self.held.compiling, digest, component);
            // The cards of the others are not late for it.
            let compiled = tokio::time::timeout(COMPILING, compiled).await;
            return Ok(compiled.unwrap_or(Err(PluginError::Compiling)));
        }
        let component = built_component(&installed.id).to_vec();
        Ok(self.compile(&self.held.compiling_shipped, digest, component).await)
    }

    /// Compiles all that there are, those that ship first, so that the first to ask for a card does not wait for it.
    pub async fn warm_up(&self) {
        let installed = async {
            let mut tx = self.database.begin_read().await?;
            let mut installed = self.list(&mut tx).await?;
            installed.sort_by_key(|one| !one.is_built_in);
            for one in &installed {
                while let Err(error) = self.get(&mut tx, one).await? {
                    if error != PluginError::Compiling {
                        tracing::warn!(projector = one.id, %error, "a projector cannot be run here");
                        break;
                    }
                }
            }
            Ok::<_, StorageError>(())
        };
        if let Err(error) = installed.await {
            tracing::warn!(%error, "projectors are compiled when they are needed");
        }
    }

    /// Compiles a component, one at a time; who comes meanwhile, or has gone, finds what came of it.
    async fn compile(
        &self,
        compiling: &Arc<tokio::sync::Mutex<()>>,
        digest: Digest,
        component: Vec<u8>,
    ) -> Result<Projector, PluginError> {
        let sandbox = self.sandbox()?;
        let turn = Arc::clone(compiling).lock_owned().await;
        if let Some(held) = self.held.get(digest) {
            return held;
        }
        let held = Arc::clone(&self.held);
        let compile = move || {
            let compiled = sandbox.load(&component);
            if !matches!(&compiled, Err(error) if error.is_of_the_moment()) {
                held.put(digest, compiled.clone());
            }
            drop(turn);
            compiled
        };
        let compiled = tokio::task::spawn_blocking(compile).await;
        compiled.unwrap_or_else(|error| Err(PluginError::Trap(error.to_string())))
    }
}

impl Held {
    fn get(&self, digest: Digest) -> Option<Result<Projector, PluginError>> {
        self.compiled.lock().unwrap_or_else(PoisonError::into_inner).get(&digest).cloned()
    }

    fn put(&self, digest: Digest, compiled: Result<Projector, PluginError>) {
        let mut held = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if held.len() >= COMPILED_MAX {
            // Whoever tries one version after the other has no use for the old ones; those that are asked for are compiled again.
            held.clear();
        }
        held.insert(digest, compiled);
    }
}

fn built_component(id: &str) -> &'static [u8] {
    built().iter().find(|built| built.id == id).map_or(&[], |built| built.component)
}

fn built_digest(id: &str) -> Digest {
    static DIGESTS: OnceLock<BTreeMap<&'static str, Digest>> = OnceLock::new();
    let digests = DIGESTS.get_or_init(|| {
        built().iter().map(|built| (built.id, Digest::of(built.component))).collect()
    });
    digests.get(id).copied().unwrap_or_else(|| Digest::of(&[]))
}

fn check_parameters(parameters: &str) -> Result<(), InstallError> {
    let wrong = |what: String| Err(InstallError::Parameters(what));
    if parameters.len() > PARAMETERS_MAX {
        return wrong(format!("they have {} bytes", parameters.len()));
    }
    match serde_json::from_str::<serde_json::Value>(parameters) {
        Ok(serde_json::Value::Object(_)) => Ok(()),
        Ok(_) => wrong("write them as `{\"name\": value}`".to_owned()),
        Err(error) => wrong(error.to_string()),
    }
}
