//! Finds the one node that a path names, such as the context that a caller asks for.

use thiserror::Error;

use super::ast::PathStart;
use super::context::{EvaluationContext, Variables};
use super::evaluation::evaluate;
use super::evaluation_error::EvaluationError;
use super::lexer::SyntaxError;
use super::object::Object;
use super::parser::parse;
use super::tree::{NodeId, NodeKind, Tree};
use super::{Axis, Expression, NodeTest};

/// Why a path does not name one node.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NodeAtError {
    /// The path cannot be read.
    #[error("the path cannot be read: {0}")]
    Syntax(#[from] SyntaxError),
    /// The path cannot be evaluated.
    #[error("the path cannot be evaluated: {0}")]
    Evaluation(#[from] EvaluationError),
    /// The expression gives a value.
    #[error("the path gives a value; a node of the document is needed")]
    NotNodes,
    /// There is no such node.
    #[error("the document has no node there")]
    Nothing,
    /// There are several.
    #[error("the path names {0} nodes; one is needed")]
    Several(usize),
}

impl NodeAtError {
    /// The error in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match self {
            Self::Syntax(error) => format!("không đọc được đường dẫn: {}", error.vietnamese()),
            Self::Evaluation(error) => format!("không tính được đường dẫn: {}", error.vietnamese()),
            Self::NotNodes => "đường dẫn cho một giá trị; cần một nút của tài liệu".to_owned(),
            Self::Nothing => "tài liệu không có nút nào ở đó".to_owned(),
            Self::Several(count) => format!("đường dẫn chỉ {count} nút; cần đúng một nút"),
        }
    }
}

/// The one node that `path` names: an XPath expression evaluated at the document. A path that starts with `/` starts at
/// the document itself, in a whole XForm too, so that what [`super::document::path_of`] gives is found again;
/// `@xmlns:prefix` names the declaration of a namespace. If that finds nothing in an XForm, it is taken as the form's own
/// expressions are, from its primary instance.
///
/// # Errors
/// Where the path cannot be read or evaluated, or does not name exactly one node.
pub fn node_at(tree: &Tree, path: &str, context: &EvaluationContext) -> Result<NodeId, NodeAtError> {
    let expression = parse(path)?;
    let from_document = match &expression {
        Expression::Path(path) if path.start == PathStart::Root => {
            let mut path = path.clone();
            path.start = PathStart::Context;
            if let Some(step) = path.steps.last_mut()
                && step.axis == Axis::Attribute
                && let NodeTest::Name { prefix, local } = &step.test
            {
                match (prefix.as_deref(), local.as_str()) {
                    (Some("xmlns"), _) => {
                        let prefix = local.clone();
                        step.axis = Axis::Namespace;
                        step.test = NodeTest::Name {
                            prefix: None,
                            local: prefix,
                        };
                    }
                    (None, "xmlns") => return default_namespace(tree, path, context),
                    _ => {}
                }
            }
            Expression::Path(path)
        }
        other => other.clone(),
    };
    match nodes(tree, &from_document, context)?.as_slice() {
        [node] => Ok(*node),
        [] if tree.is_form_document() => one(&nodes(tree, &expression, context)?),
        others => one(others),
    }
}

/// The declaration of the default namespace, which has no name to look for.
fn default_namespace(tree: &Tree, mut path: super::Path, context: &EvaluationContext) -> Result<NodeId, NodeAtError> {
    if let Some(step) = path.steps.last_mut() {
        step.axis = Axis::Namespace;
        step.test = NodeTest::Node;
    }
    let declarations = nodes(tree, &Expression::Path(path), context)?;
    let default: Vec<NodeId> = declarations
        .into_iter()
        .filter(|node| tree.kind(*node) == NodeKind::Namespace && tree.name(*node).local.is_empty())
        .collect();
    one(&default)
}

fn nodes(tree: &Tree, expression: &Expression, context: &EvaluationContext) -> Result<Vec<NodeId>, NodeAtError> {
    match evaluate(expression, tree, Tree::ROOT, context, &Variables::new())? {
        Object::Nodes(nodes) => Ok(nodes),
        _ => Err(NodeAtError::NotNodes),
    }
}

fn one(nodes: &[NodeId]) -> Result<NodeId, NodeAtError> {
    match nodes {
        [node] => Ok(*node),
        [] => Err(NodeAtError::Nothing),
        others => Err(NodeAtError::Several(others.len())),
    }
}
