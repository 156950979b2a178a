//! Runs components: loads one, asks what it is, and has it make a draft from a view.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Engine, ResourceLimiter, Store, Trap};

use super::bind;
use super::error::PluginError;
use super::size;
use crate::project::{Claims, Draft, View, is_hidden};
use crate::vocab::Digest;

/// The largest component, in bytes: what compilers of whole languages into one component come to.
const COMPONENT_BYTES_MAX: usize = 16 << 20;
/// How many instructions one call may take: those that ship take a tenth of it on records of ten thousand.
pub const FUEL: u64 = 200_000_000;
/// How long a call may take where its instructions are dear ones: that of memory far apart, a hundred times those of others. No limit of
/// the card, which is the same everywhere, but one of this machine: who meets it has no card here.
const TICK: Duration = Duration::from_millis(100);
const TICKS: u64 = 30;
/// For how many ticks a component is not run again that took too long.
const REST_TICKS: u64 = 600;
/// How much memory an instance may have in all its memories and tables, in bytes.
pub const MEMORY_MAX: usize = 64 << 20;
/// The most that is read of what a component returns, in bytes of texts and lists as they lie in memory.
const OUTPUT_MAX: usize = 1 << 20;
/// What an entry of a table takes, in bytes.
const TABLE_ENTRY: usize = 16;
/// The most memories, tables and instances that a component is made of.
const PARTS_MAX: usize = 64;
const ID_BYTES_MAX: usize = 64;
const SUMMARY_BYTES_MAX: usize = 500;
const CLAIMS_MAX: usize = 64;
const CLAIM_BYTES_MAX: usize = 256;

/// What runs components. Cheap to clone.
#[derive(Clone)]
pub struct Sandbox {
    engine: Engine,
    /// How many ticks there were.
    ticks: Arc<AtomicU64>,
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sandbox")
    }
}

/// A component that is a projector. Cheap to clone; each run has an instance of its own.
#[derive(Clone)]
pub struct Projector {
    engine: Engine,
    ticks: Arc<AtomicU64>,
    /// Until which tick it is not run.
    rests_until: Arc<AtomicU64>,
    pre: bind::ProjectorPre<Limits>,
    /// What it says of itself.
    pub description: Description,
    /// The SHA-256 of its bytes.
    pub digest: Digest,
}

impl fmt::Debug for Projector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Projector").field("description", &self.description).finish_non_exhaustive()
    }
}

/// What a projector says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Its name.
    pub id: String,
    /// Its version.
    pub version: String,
    /// What it shows.
    pub summary: String,
    /// Which claims it reads.
    pub claims: Claims,
}

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// What it made.
    pub draft: Draft,
    /// How many instructions that took.
    pub fuel: u64,
}

/// What an instance may take, and whether it wanted more.
#[derive(Default)]
struct Limits {
    /// The bytes of all memories and tables.
    held: usize,
    wanted_more: bool,
}

impl Limits {
    fn grow(&mut self, by: usize) -> bool {
        let held = self.held.saturating_add(by);
        let is_fine = held <= MEMORY_MAX;
        if is_fine {
            self.held = held;
        }
        self.wanted_more |= !is_fine;
        is_fine
    }
}

impl ResourceLimiter for Limits {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(self.grow(desired.saturating_sub(current)))
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(self.grow(desired.saturating_sub(current).saturating_mul(TABLE_ENTRY)))
    }

    fn memories(&self) -> usize {
        PARTS_MAX
    }

    fn tables(&self) -> usize {
        PARTS_MAX
    }

    fn instances(&self) -> usize {
        PARTS_MAX
    }
}

impl Sandbox {
    /// Makes one.
    ///
    /// # Errors
    /// When this machine cannot run WebAssembly.
    pub fn new() -> Result<Self, PluginError> {
        let mut config = Config::new();
        config
            .consume_fuel(true)
            .cranelift_nan_canonicalization(true)
            .wasm_relaxed_simd(false)
            .epoch_interruption(true)
            .wasm_component_model(true);
        let engine = Engine::new(&config).map_err(|error| PluginError::Trap(told(&error)))?;
        let (ticking, ticks) = (engine.weak(), Arc::new(AtomicU64::new(0)));
        let counted = Arc::clone(&ticks);
        // It ends with the last who holds the engine.
        std::thread::spawn(move || {
            while let Some(engine) = ticking.upgrade() {
                engine.increment_epoch();
                counted.fetch_add(1, Ordering::Relaxed);
                drop(engine);
                std::thread::sleep(TICK);
            }
        });
        Ok(Self { engine, ticks })
    }

    /// Loads a component: compiles it, and asks what it is.
    ///
    /// # Errors
    /// When it is no projector.
    pub fn load(&self, bytes: &[u8]) -> Result<Projector, PluginError> {
        if bytes.len() > COMPONENT_BYTES_MAX {
            return Err(PluginError::TooLong { length: bytes.len(), max: COMPONENT_BYTES_MAX });
        }
        size::check(bytes)?;
        let component = Component::from_binary(&self.engine, bytes)
            .map_err(|error| PluginError::NotComponent(told(&error)))?;
        if let Some(import) = first_import(&self.engine, &component) {
            return Err(PluginError::Imports(format!("`{import}`")));
        }
        let linker: Linker<Limits> = Linker::new(&self.engine);
        let not = |error: wasmtime::Error| PluginError::NotProjector(told(&error));
        let pre = linker.instantiate_pre(&component).map_err(not)?;
        let pre = bind::ProjectorPre::new(pre).map_err(not)?;
        let mut store = self.store();
        let described = pre
            .instantiate(&mut store)
            .and_then(|instance| instance.call_describe(&mut store))
            .map_err(|error| failure(&store, &error))?;
        let description = Description {
            id: described.id,
            version: described.version,
            summary: described.summary,
            claims: Claims::new(described.claims),
        };
        description.check()?;
        Ok(Projector {
            engine: self.engine.clone(),
            ticks: Arc::clone(&self.ticks),
            rests_until: Arc::default(),
            pre,
            description,
            digest: Digest::of(bytes),
        })
    }

    fn store(&self) -> Store<Limits> {
        store(&self.engine)
    }
}

fn store(engine: &Engine) -> Store<Limits> {
    let mut store = Store::new(engine, Limits::default());
    store.limiter(|limits| limits);
    store.set_hostcall_fuel(OUTPUT_MAX);
    store.set_epoch_deadline(TICKS);
    // Fuel is on, so this cannot fail; an instance without fuel would stop at once.
    let _ = store.set_fuel(FUEL);
    store
}

impl Projector {
    /// Whether it takes some parameters: it is shown an agent without a record.
    ///
    /// # Errors
    /// What it says against them, or what it does wrong.
    pub fn try_parameters(&self, parameters: &str) -> Result<(), PluginError> {
        self.run(&View::of_nobody(parameters.to_owned())).map(drop)
    }

    /// Has it make a draft of a card.
    ///
    /// # Errors
    /// When it traps, takes too much, or says that it cannot. Whoever took too long is not run for a minute: as many as ask for its cards
    /// would keep every processor from the others.
    pub fn run(&self, view: &View) -> Result<Ran, PluginError> {
        if self.ticks.load(Ordering::Relaxed) < self.rests_until.load(Ordering::Relaxed) {
            return Err(PluginError::Resting);
        }
        self.run_for(view, TICKS)
    }

    fn run_for(&self, view: &View, ticks: u64) -> Result<Ran, PluginError> {
        let ran = self.run_now(view, ticks);
        if ran == Err(PluginError::Timeout) {
            let now = self.ticks.load(Ordering::Relaxed);
            self.rests_until.store(now + REST_TICKS, Ordering::Relaxed);
        }
        ran
    }

    fn run_now(&self, view: &View, ticks: u64) -> Result<Ran, PluginError> {
        let mut store = store(&self.engine);
        store.set_epoch_deadline(ticks);
        let view = bind::view(view);
        let returned = self
            .pre
            .instantiate(&mut store)
            .and_then(|instance| instance.call_project(&mut store, &view))
            .map_err(|error| failure(&store, &error))?;
        let fuel = FUEL.saturating_sub(store.get_fuel().unwrap_or(0));
        match returned {
            Ok(card) => Ok(Ran { draft: bind::draft(card), fuel }),
            Err(why) => Err(PluginError::Refused(shortened(&why))),
        }
    }
}

impl Description {
    fn check(&self) -> Result<(), PluginError> {
        let wrong = |field, what: String| Err(PluginError::Description { field, what });
        let is_id = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let is_named = !self.id.is_empty() && self.id.len() <= ID_BYTES_MAX;
        if !is_named || !self.id.chars().all(is_id) {
            let shown = shortened(&self.id);
            let what = format!(
                "`{shown}` is no name: use at most {ID_BYTES_MAX} lower-case letters, digits and hyphens"
            );
            return wrong("id", what);
        }
        if !is_version(&self.version) {
            let shown = shortened(&self.version);
            return wrong("version", format!("`{shown}` is no version: write it as `1.2.3`"));
        }
        if self.summary.len() > SUMMARY_BYTES_MAX || self.summary.chars().any(is_hidden) {
            return wrong(
                "summary",
                format!("it is one line of at most {SUMMARY_BYTES_MAX} bytes"),
            );
        }
        let claims = self.claims.patterns();
        if claims.is_empty() || claims.len() > CLAIMS_MAX {
            let what = format!("it names {} types of claims; name 1 to {CLAIMS_MAX}", claims.len());
            return wrong("claims", what);
        }
        let is_claim = |claim: &&String| {
            claim.is_empty()
                || claim.len() > CLAIM_BYTES_MAX
                || claim.chars().any(char::is_control)
                || claim.trim_end_matches('*').contains('*')
        };
        match claims.iter().find(is_claim) {
            Some(claim) => {
                let shown = shortened(claim);
                wrong("claims", format!("`{shown}` is no type of claims: `a.b`, `a.*` and `*` are"))
            }
            None => Ok(()),
        }
    }
}

fn is_version(text: &str) -> bool {
    let core = text.split(['-', '+']).next().unwrap_or_default();
    let numbers: Vec<_> = core.split('.').collect();
    let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let is_plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b".-+".contains(&b));
    text.len() <= 64 && is_plain && numbers.len() == 3 && numbers.iter().all(is_number)
}

/// The first thing that a component wants from outside; types alone are nothing to want.
fn first_import(engine: &Engine, component: &Component) -> Option<String> {
    use wasmtime::component::types::ComponentItem;
    let kind = component.component_type();
    let wants = |item: &ComponentItem| match item {
        ComponentItem::ComponentInstance(instance) => {
            instance.exports(engine).any(|(_, export)| !matches!(export.ty, ComponentItem::Type(_)))
        }
        ComponentItem::Type(_) => false,
        _ => true,
    };
    kind.imports(engine).find(|(_, import)| wants(&import.ty)).map(|(name, _)| name.to_owned())
}

/// What became of a run that ended in an error.
fn failure(store: &Store<Limits>, error: &wasmtime::Error) -> PluginError {
    let told = told(error);
    if error.downcast_ref::<Trap>() == Some(&Trap::OutOfFuel) {
        return PluginError::Fuel(FUEL);
    }
    if error.downcast_ref::<Trap>() == Some(&Trap::Interrupt) {
        return PluginError::Timeout;
    }
    if store.data().wanted_more {
        return PluginError::Memory(MEMORY_MAX);
    }
    if told.contains("hostcall") || told.contains("too many bytes") {
        return PluginError::Output(OUTPUT_MAX);
    }
    PluginError::Trap(told)
}

/// An error with what led to it, without the addresses of a backtrace.
fn told(error: &wasmtime::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    for cause in error.chain() {
        let text = cause.to_string();
        if !text.starts_with("error while executing at wasm backtrace") {
            parts.push(text);
        }
    }
    shortened(&parts.join(": "))
}

/// The part of a component's text that is fit for a message.
fn shortened(text: &str) -> String {
    const CHARS_MAX: usize = 300;
    let printable = |c: char| if is_hidden(c) { ' ' } else { c };
    text.chars().take(CHARS_MAX).map(printable).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_slow_rests() {
        let hostile = include_bytes!("../../projectors/built/hostile.wasm");
        let projector = Sandbox::new().unwrap().load(hostile).unwrap();
        let view = |does: &str| View::of_nobody(format!("{{\"do\":\"{does}\"}}"));
        assert!(projector.run(&view("nothing")).is_ok());
        assert_eq!(projector.run_for(&view("loop"), 0), Err(PluginError::Timeout));
        assert_eq!(projector.run(&view("nothing")), Err(PluginError::Resting));
        projector.ticks.fetch_add(REST_TICKS, Ordering::Relaxed);
        assert!(projector.run(&view("nothing")).is_ok(), "after a minute it is run again");
    }

    #[test]
    fn all_memories_and_tables_count_together() {
        let mut limits = Limits::default();
        let mib = |n: usize| n << 20;
        assert!(limits.memory_growing(0, mib(40), None).unwrap());
        assert!(limits.memory_growing(0, mib(10), None).unwrap(), "a second memory");
        assert!(limits.table_growing(0, mib(14) / TABLE_ENTRY, None).unwrap());
        assert!(!limits.wanted_more);
        assert!(!limits.memory_growing(mib(10), mib(10) + 1, None).unwrap());
        assert!(limits.wanted_more);
        assert!(!limits.table_growing(0, usize::MAX, None).unwrap());
    }
}
