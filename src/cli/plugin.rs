//! `hallmark plugin`: install projectors, list and remove them, and try one on an agent's record.
//!
//! Trying needs no installation, so that whoever writes a projector sees at once what it makes of a record, and by which attestations.

mod explain;

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use super::args::{PluginCommand, RunArgs};
use super::input::read_file;
use super::shutdown::run_until_signal;
use super::{CliError, Exit, Output, look_up, open, serve};
use crate::api::local::{self, Asked, Explaining};
use crate::app::{Clock as _, InstallError, Installed, Loaded, Poster, Projectors, SystemClock};
use crate::config::Config;
use crate::storage::Database;

/// The largest component, in bytes.
const COMPONENT_BYTES_MAX: usize = 16 << 20;

pub(super) fn run(
    config: &Config,
    command: &PluginCommand,
    out: &mut Output,
) -> Result<Exit, CliError> {
    run_until_signal(async |_| {
        // Whatever chain it follows: a projector is tried on any record.
        let database = open::any_database(config).await?;
        let projectors = serve::state(config, &database).cards.projectors;
        let exit = match command {
            PluginCommand::Add { file, parameters } => {
                add(&database, &projectors, file, parameters, out).await
            }
            PluginCommand::List => list(&database, &projectors, out).await,
            PluginCommand::Remove { id } => remove(&database, &projectors, id, out).await,
            PluginCommand::Run(wanted) => try_on(config, &database, wanted, out).await,
        };
        database.close().await;
        exit
    })?
}

async fn add(
    database: &Database,
    projectors: &Projectors,
    file: &Path,
    parameters: &str,
    out: &mut Output,
) -> Result<Exit, CliError> {
    let component = read(file)?;
    let before = projectors.list(&mut database.begin_read().await?).await?;
    let plugin = projectors.add(&component, parameters, SystemClock.now()).await;
    let plugin = plugin.map_err(|error| refused(file, &error))?;
    let data = json!({
        "id": plugin.id, "version": plugin.version, "digest": plugin.digest,
        "parameters": serde_json::from_str::<Value>(&plugin.parameters).unwrap_or_default(),
        "added_at": plugin.added_at,
        "replaces": replaced(&before, &plugin.id),
    });
    let done = match replaced(&before, &plugin.id) {
        None => "installed".to_owned(),
        Some(other) => format!("installed, in the place of {other}"),
    };
    out.record(&data, || format!("{} {} {} {done}", plugin.id, plugin.version, plugin.digest))?;
    Ok(Exit::Done)
}

/// What stands under a name so far.
fn replaced(before: &[Installed], id: &str) -> Option<String> {
    let other = before.iter().find(|one| one.id == id)?;
    Some(match &other.plugin {
        None => "the one that ships, which is back when this one is removed".to_owned(),
        Some(plugin) => format!("version {} with {}", plugin.version, plugin.digest),
    })
}

async fn list(
    database: &Database,
    projectors: &Projectors,
    out: &mut Output,
) -> Result<Exit, CliError> {
    let mut tx = database.begin_read().await?;
    for installed in projectors.list(&mut tx).await? {
        let loaded = projectors.get(&mut tx, &installed).await?;
        let Installed { id, is_built_in, plugin } = installed;
        let from = if is_built_in { "ships" } else { "installed" };
        let set = plugin.as_ref().map_or("{}", |plugin| plugin.parameters.as_str());
        let parameters: Value = serde_json::from_str(set).unwrap_or_default();
        let data = match &loaded {
            Ok(loaded) => {
                let description = &loaded.projector.description;
                json!({
                    "id": id, "version": description.version, "digest": loaded.projector.digest,
                    "built_in": is_built_in, "summary": description.summary,
                    "parameters": parameters, "claims": description.claims.patterns(), "problem": null,
                })
            }
            Err(error) => {
                json!({ "id": id, "built_in": is_built_in, "problem": error.to_string() })
            }
        };
        let text = || match &loaded {
            Ok(loaded) => {
                let description = &loaded.projector.description;
                let (version, digest) = (&description.version, loaded.projector.digest);
                let with = if set == "{}" { String::new() } else { format!(", with {set}") };
                format!("{id} {version} {digest} {from}{with}\n    {}", description.summary)
            }
            Err(error) => format!("{id} {from}: {error}"),
        };
        out.record(&data, text)?;
    }
    Ok(Exit::Done)
}

async fn remove(
    database: &Database,
    projectors: &Projectors,
    id: &str,
    out: &mut Output,
) -> Result<Exit, CliError> {
    if projectors.remove(id).await? {
        out.record(&json!({ "removed": id }), || format!("removed {id}"))?;
        return Ok(Exit::Done);
    }
    let mut tx = database.begin_read().await?;
    let ships = projectors.list(&mut tx).await?.iter().any(|one| one.id == id);
    let what = if ships {
        format!("`{id}` ships with the program and cannot be removed")
    } else {
        format!("no projector `{id}` is installed")
    };
    Err(CliError::new(Exit::Negative, &std::io::Error::other(what))
        .with_hint(Some("hallmark plugin list".to_owned())))
}

async fn try_on(
    config: &Config,
    database: &Database,
    wanted: &RunArgs,
    out: &mut Output,
) -> Result<Exit, CliError> {
    // Where no service runs beside this, records may not be counted yet.
    let poster = Poster::new(database.clone());
    while poster.turn().await? > 0 {}
    let state = serve::state(config, database);
    let loaded = find(database, &state.cards.projectors, wanted).await?;
    let asked = Asked {
        agent: &wanted.agent,
        at: &wanted.at,
        as_of_seq: wanted.as_of_seq,
        game: wanted.game.as_deref(),
        parameters: wanted.parameters.as_deref(),
    };
    let explained = local::explain(state, &asked, &loaded).await;
    match explained.map_err(|error| CliError::failed("cannot run the projector", &*error))? {
        Explaining::Made(explained) => {
            let text = || explain::as_text(&explained, wanted.explain);
            if wanted.explain {
                out.record(&explain::in_full(&explained), text)?;
            } else {
                out.record(&explained.card, text)?;
            }
            Ok(Exit::Done)
        }
        Explaining::Failed(error) => {
            let name = &loaded.projector.description.id;
            Err(CliError::failed(&format!("the projector `{name}` gave no card"), &error))
        }
        Explaining::Problem(answer) => {
            look_up::settle(Ok(answer), out)?.map(|_| Exit::Failed).or_else(Ok)
        }
    }
}

/// The projector in a file, or one that is here.
async fn find(
    database: &Database,
    projectors: &Projectors,
    wanted: &RunArgs,
) -> Result<Arc<Loaded>, CliError> {
    let parameters = wanted.parameters.as_deref().unwrap_or("{}");
    if wanted.projector.exists() || wanted.projector.as_os_str() == "-" {
        let component = read(&wanted.projector)?;
        let loaded = projectors.load(&component, parameters);
        return loaded.map_err(|error| refused(&wanted.projector, &error));
    }
    let mut tx = database.begin_read().await?;
    let all = projectors.list(&mut tx).await?;
    let name = wanted.projector.to_string_lossy();
    let Some(installed) = all.iter().find(|one| one.id == name) else {
        let known: Vec<_> = all.iter().map(|one| one.id.as_str()).collect();
        let what = format!("`{name}` is neither a file nor a projector that is here");
        return Err(CliError::new(Exit::Usage, &std::io::Error::other(what))
            .with_hint(Some(format!("there are {}", known.join(", ")))));
    };
    projectors
        .get(&mut tx, installed)
        .await?
        .map_err(|error| CliError::failed(&format!("`{name}` cannot be run"), &error))
}

fn read(file: &Path) -> Result<Vec<u8>, CliError> {
    read_file(file, COMPONENT_BYTES_MAX, |why| {
        let why = format!("{}: the component has {why}", file.display());
        CliError::new(Exit::Negative, &std::io::Error::other(why))
    })
}

fn refused(file: &Path, error: &InstallError) -> CliError {
    let exit = match error {
        InstallError::Plugin(_) => Exit::Negative,
        InstallError::Parameters(_) => Exit::Usage,
        InstallError::Storage(_) => Exit::Failed,
    };
    let what = std::io::Error::other(format!("{}: {error}", file.display()));
    CliError::new(exit, &what)
}
