//! From responses to estimates: each response is reduced to numbers once, hamlets keep sums, and every estimate is
//! computed from those sums when somebody looks.
//!
//! ```text
//! log → projector (reduce each changed response) → live (sums per hamlet) → overview (estimates, bounds, decisions)
//!                   ↓                                 ↓                    → indicator (one of them, in depth)
//!                 history (sums of earlier hours)   modelled (communes with few interviews)
//! ```

mod events;
mod history;
mod importance;
mod indicator;
mod live;
mod measures;
mod modelled;
mod overview;
mod projector;
mod reduced;
mod suspects;
mod view;

pub use events::Events;
pub use importance::{LiveImportance, OpenMatter, OpenResponse};
pub use indicator::{ChildPage, IndicatorPage, MovementView, OpenHamlet, OpenView};
pub use live::{Live, LiveRound};
pub use measures::{Measures, MeasuresError};
pub use modelled::{Covariate, ModelView, ModelledView, NotModelled};
pub use overview::{DECISION_ASSURANCE, overview, routes};
pub use projector::Projector;
pub(crate) use projector::advance;
pub use reduced::{Listing, Reduced};
pub use view::{Coverage, EstimateView, FieldState, IndicatorView, Overview, Page, UnitView, Withheld};

use indicators::design::DesignError;

use crate::store::StoreError;

/// Why a round cannot be estimated.
#[derive(Debug, thiserror::Error)]
pub enum EstimatesError {
    /// The form or the registry does not fit.
    #[error(transparent)]
    Measures(#[from] MeasuresError),
    /// The stored form is not readable.
    #[error("the round's form is not readable: {0}")]
    Form(String),
    /// The frame makes no design.
    #[error("the round's frame makes no sampling design: {0}")]
    Design(#[from] DesignError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl EstimatesError {
    /// The error in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match self {
            Self::Measures(error) => error.vietnamese(),
            Self::Form(reason) => format!("không đọc được phiếu của đợt khảo sát: {reason}"),
            Self::Design(error) => format!("danh sách ấp không lập được thiết kế mẫu: {}", error.vietnamese()),
            Self::Store(error) => error.vietnamese(),
        }
    }
}
