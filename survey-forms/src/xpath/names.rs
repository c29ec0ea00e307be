//! Namespaces: what prefixes stand for, in documents and in expressions (Namespaces in XML 1.0).

use std::sync::Arc;

/// The namespace of XForms elements.
pub(super) const XFORMS: &str = "http://www.w3.org/2002/xforms";
/// The namespace of XHTML elements.
pub(super) const XHTML: &str = "http://www.w3.org/1999/xhtml";
/// The namespace of `xml:lang` and its like, bound in every document.
pub(super) const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// Prefixes and the namespaces that a document binds them to, in document order.
pub(super) type Prefixes = Arc<[(String, String)]>;

/// What prefixes usually mean in XForms (ODK XForms specification, "Namespaces"), where a document does not bind them.
const USUAL: [(&str, &str); 12] = [
    ("xml", XML),
    ("h", XHTML),
    ("html", XHTML),
    ("xhtml", XHTML),
    ("xf", XFORMS),
    ("xforms", XFORMS),
    ("jr", "http://openrosa.org/javarosa"),
    ("orx", "http://openrosa.org/xforms"),
    ("odk", "http://www.opendatakit.org/xforms"),
    ("ev", "http://www.w3.org/2001/xml-events"),
    ("xsd", "http://www.w3.org/2001/XMLSchema"),
    ("mathml", "http://www.w3.org/1998/Math/MathML"),
];

/// The usual meaning of a prefix.
pub(super) fn usual_namespace(prefix: &str) -> Option<&'static str> {
    USUAL.iter().find(|(usual, _)| *usual == prefix).map(|(_, uri)| *uri)
}

/// What a prefix stands for in an expression: the document's first binding of it, else its usual meaning.
pub(super) fn namespace_of_prefix<'a>(prefixes: &'a Prefixes, prefix: &str) -> Option<&'a str> {
    let bound = prefixes.iter().find(|(bound, _)| bound == prefix);
    bound.map(|(_, uri)| uri.as_str()).or_else(|| usual_namespace(prefix))
}
