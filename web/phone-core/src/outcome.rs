//! What comes of a visit, in the sense of the AAPOR's Standard Definitions (10th edition, 2023, final disposition codes for
//! in-person household surveys).

/// The question of a form that tells the outcome of the last visit, and the names of its choices below.
pub(crate) const QUESTION: &str = "visit_outcome";

/// An interview took place (1.1 complete, 1.2 partial).
pub(crate) const COMPLETED: &str = "completed";
/// As far as it went.
pub(crate) const PARTLY: &str = "partly";

/// What an outcome says about the household.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sense {
    /// Somebody answered.
    Interview,
    /// Nobody did, and another visit may help (2.2 non-contact).
    ComeAgain,
    /// Nobody will: refusal (2.1), or no eligible household (4.x, such as a vacant dwelling).
    Final,
}

/// The sense of an outcome by the name of its choice.
pub(crate) fn sense(name: &str) -> Sense {
    match name {
        COMPLETED | PARTLY => Sense::Interview,
        "nobody_home" => Sense::ComeAgain,
        _ => Sense::Final,
    }
}
