//! The differences from pyxform's XForms that are meant, each with its reason.

use super::comparison::Justified;

/// Every difference that is meant. One that no form shows any more fails the test.
pub(crate) const JUSTIFIED: &[Justified] = &[];
