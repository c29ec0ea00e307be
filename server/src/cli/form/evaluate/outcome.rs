//! The result of an expression as JSON.

use serde::Serialize;
use serde_json::Value as Json;
use survey_forms::xpath::{NodeId, Object, ObjectType, Tree};

/// A result: its own type and value, and what it is when taken for a number, a string or a boolean (XPath 1.0 §4).
#[derive(Debug, Serialize)]
pub(super) struct Outcome {
    /// `number`, `string`, `boolean` or `nodeset`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The value; of a node set, the string value of its first node.
    value: Json,
    number: Json,
    string: String,
    boolean: bool,
    /// The nodes of a node set in document order.
    #[serde(skip_serializing_if = "Option::is_none")]
    nodes: Option<Vec<FoundNode>>,
}

#[derive(Debug, Serialize)]
struct FoundNode {
    path: String,
    value: String,
}

impl Outcome {
    /// Describes a result over `tree`; `path` tells where a node is.
    pub(super) fn new(object: &Object, tree: &Tree, utc_offset_minutes: i32, path: impl Fn(NodeId) -> String) -> Self {
        let string = object.to_text(tree);
        let number = number(object.to_number(tree, utc_offset_minutes));
        let boolean = object.to_boolean();
        let (kind, value, nodes) = match object {
            Object::Date(_) if object.object_type() == ObjectType::Number => ("number", number.clone(), None),
            Object::Number(_) => ("number", number.clone(), None),
            Object::Text(_) | Object::Date(_) => ("string", Json::from(string.clone()), None),
            Object::Boolean(_) => ("boolean", Json::from(boolean), None),
            Object::Nodes(nodes) => {
                let nodes = nodes.iter().map(|node| FoundNode {
                    path: path(*node),
                    value: tree.text_of(*node).into_owned(),
                });
                ("nodeset", Json::from(string.clone()), Some(nodes.collect()))
            }
        };
        Self {
            kind,
            value,
            number,
            string,
            boolean,
            nodes,
        }
    }
}

/// Whole numbers without a point; what JSON has no number for as text.
fn number(number: f64) -> Json {
    /// Up to here every whole number is exact (2⁵³).
    const MOST: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() <= MOST {
        return Json::from(number as i64);
    }
    serde_json::Number::from_f64(number)
        .map_or_else(|| Json::from(survey_forms::xpath::number_to_text(number)), Json::Number)
}
