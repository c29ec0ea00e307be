//! The benchmarks: each measurement runs beside its baseline, by turns, in one process on one disk, and what counts is
//! their ratio. Absolute numbers depend on the machine and on what else it does; they stand beside as context.
//!
//! | room | subject |
//! | --- | --- |
//! | [`table`] | comparisons and the table that shows them |
//! | [`survey`] | an installation with a sampled round, and phones with filled forms |
//! | [`ingest`] | durable ingest over HTTP |
//! | [`large`] | ingest, memory and start with half a million responses |
//! | [`crowd`] | hundreds of phones at once |
//! | [`wire`] | bytes on the wire and round trips |
//! | [`histories`] | what fresh phones get of households that were corrected often |
//! | [`peers`] | the same households carried by PouchDB and by automerge-repo |
//! | [`reconcile`] | the difference of two replicas |
//! | [`relay`] | counts what travels between a phone and a server, and holds it up |
//! | [`estimates`] | from an acknowledgement to the figure on a page; recomputation |
//! | [`figures`] | listens for changed figures as a console page does |
//! | [`province`] | the same estimates by R's survey package |
//! | [`documents`] | response documents against bare Automerge |
//! | [`session`] | one answer in a large form, and reading a form |
//! | [`wasm`] | the form engine as phones run it: its weight and its speed |

pub mod crowd;
pub mod documents;
pub mod estimates;
pub mod figures;
pub mod histories;
pub mod ingest;
pub mod large;
pub mod peers;
pub mod province;
pub mod reconcile;
pub mod relay;
pub mod session;
pub mod survey;
pub mod table;
pub mod wasm;
pub mod wire;

use table::Comparison;

/// One group of measurements, by the name that the command line calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measurement {
    /// [`ingest`].
    Ingest,
    /// [`large`].
    Large,
    /// [`crowd`].
    Crowd,
    /// [`wire`].
    Wire,
    /// [`peers`].
    Peers,
    /// [`reconcile`].
    Reconcile,
    /// [`estimates`].
    Estimates,
    /// [`documents`].
    Documents,
    /// [`session`].
    Session,
    /// [`wasm`].
    Wasm,
}

impl Measurement {
    /// Every measurement, in the order in which they run.
    pub const ALL: [Self; 10] = [
        Self::Ingest,
        Self::Large,
        Self::Crowd,
        Self::Wire,
        Self::Peers,
        Self::Reconcile,
        Self::Estimates,
        Self::Documents,
        Self::Session,
        Self::Wasm,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Large => "large",
            Self::Crowd => "crowd",
            Self::Wire => "wire",
            Self::Peers => "peers",
            Self::Reconcile => "reconcile",
            Self::Estimates => "estimates",
            Self::Documents => "documents",
            Self::Session => "session",
            Self::Wasm => "wasm",
        }
    }

    /// Measures.
    ///
    /// # Panics
    /// When something that is measured does not do what it should.
    pub fn run(self) -> Vec<Comparison> {
        match self {
            Self::Ingest => ingest::measure(),
            Self::Large => large::measure(),
            Self::Crowd => crowd::measure(),
            Self::Wire => wire::measure(),
            Self::Peers => peers::measure(),
            Self::Reconcile => reconcile::measure(),
            Self::Estimates => estimates::measure(),
            Self::Documents => documents::measure(),
            Self::Session => session::measure(),
            Self::Wasm => wasm::measure(),
        }
    }
}
