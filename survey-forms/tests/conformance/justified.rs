//! The differences from pyxform's XForms that are meant, each with its reason.

use super::comparison::Justified;

/// Every difference that is meant. One that no form shows any more fails the test.
pub(crate) const JUSTIFIED: &[Justified] = &[
    Justified {
        form: "flat-groups",
        place: "*",
        reason: "The setting flat was made for ODK Tables, which is discontinued: it takes groups out of the filled form, so \
                 that answers of one name would meet. Groups stay groups here, and the author is told so.",
    },
    Justified {
        form: "empty-default-language",
        place: "*/itext/*",
        reason: "The default language stands first here, whatever the order of the columns; it is marked as the default in \
                 both.",
    },
    Justified {
        form: "label-lookup",
        place: "*/output*",
        reason: "A `<` in an expression inside a label is escaped once, as XML wants it. pyxform 4.5.0 escapes it twice, so \
                 that the expression that ODK Collect reads is broken.",
    },
    Justified {
        form: "loop-nested",
        place: "*/label*",
        reason: "The choice's label is put into every row of a loop. pyxform 4.5.0 leaves out rows inside groups, so that \
                 people would read `%(label)s`.",
    },
    Justified {
        form: "none-option",
        place: "*/instance[@id='assets']/*",
        reason: "add_none_option adds a choice none and the constraint that it is ticked alone. pyxform 4.5.0 writes the \
                 constraint but loses the choice, so that nobody could tick it.",
    },
];
