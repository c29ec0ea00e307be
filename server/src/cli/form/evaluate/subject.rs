//! What an expression is evaluated over.

use serde_json::Value as Json;
use survey_forms::answers::{AnswerMap, AnswersMut as _};
use survey_forms::model::{Form, nearest_name};
use survey_forms::session::Session;
use survey_forms::xpath::{
    EvaluationContext, EvaluationError, Expression, NodeId, NodeKind, Tree, Variables, document, evaluate, node_at,
    parse, parse_lazily,
};

use super::answers;
use super::outcome::Outcome;
use crate::cli::Failure;

/// A filled form or a document.
#[derive(Debug)]
pub(super) enum Subject<'a> {
    /// A form with answers.
    Filled {
        form: &'a Form,
        session: Box<Session<'a, AnswerMap>>,
    },
    /// A document.
    Document(&'a Tree),
}

impl<'a> Subject<'a> {
    /// Fills a form with the answers of a JSON object.
    pub(super) fn filled(
        form: &'a Form,
        answers: &Json,
        with_defaults: bool,
        context: &EvaluationContext,
    ) -> Result<Self, Failure> {
        let given = answers::read(form, answers)?;
        let mut session = Session::new(form, given.answers, context.clone());
        if with_defaults {
            session
                .begin()
                .map_err(|error| Failure::new(error.vietnamese(), error.to_string()))?;
            let mut answers = session.into_store();
            for path in &given.blanks {
                let Ok(()) = answers.clear_answer(path);
            }
            session = Session::new(form, answers, context.clone());
        }
        Ok(Self::Filled {
            form,
            session: Box::new(session),
        })
    }

    fn tree(&self) -> &Tree {
        match self {
            Self::Filled { session, .. } => session.tree(),
            Self::Document(tree) => tree,
        }
    }

    /// Evaluates an expression at the one node that the path `at` gives.
    pub(super) fn evaluate(&self, source: &str, at: &str, context: &EvaluationContext) -> Result<Outcome, Failure> {
        let expression = self.parse(source)?;
        let origin = self.place(at, context)?;
        let object = evaluate(&expression, self.tree(), origin, context, &Variables::new())
            .map_err(|error| self.evaluation_failure(&error))?;
        let offset = context.now.utc_offset_minutes;
        Ok(Outcome::new(&object, self.tree(), offset, |node| self.path(node)))
    }

    /// Reads an expression. Over a document, XPath's own rule holds that what is never evaluated may be wrong.
    fn parse(&self, source: &str) -> Result<Expression, Failure> {
        let read = match self {
            Self::Filled { .. } => parse(source),
            Self::Document(_) => parse_lazily(source),
        };
        read.map_err(|error| {
            let caret = error.caret(source);
            Failure::new(format!("{}\n{caret}", error.vietnamese()), format!("{error}\n{caret}"))
        })
    }

    fn place(&self, at: &str, context: &EvaluationContext) -> Result<NodeId, Failure> {
        node_at(self.tree(), at, context).map_err(|error| {
            Failure::new(
                format!("--context {at:?}: {}", error.vietnamese()),
                format!("--context {at:?}: {error}"),
            )
        })
    }

    fn evaluation_failure(&self, error: &EvaluationError) -> Failure {
        let nearest = match (self, error) {
            (Self::Filled { form, .. }, EvaluationError::UnknownQuestion(name)) => {
                nearest_name(name, form.nodes().iter().map(|node| node.name.as_str()))
            }
            _ => None,
        };
        match nearest {
            Some(nearest) => Failure::new(
                format!("{}; có phải là {nearest:?}?", error.vietnamese()),
                format!("{error}; did you mean {nearest:?}?"),
            ),
            None => Failure::new(error.vietnamese(), error.to_string()),
        }
    }

    fn path(&self, node: NodeId) -> String {
        match self {
            Self::Document(tree) => document::path_of(tree, node),
            Self::Filled { session, .. } => form_path(session.tree(), node),
        }
    }
}

/// Reads a document; `prefixes` are what prefixes in expressions mean, as (prefix, URI).
pub(super) fn document(xml: &str, prefixes: &[(String, String)]) -> Result<Tree, Failure> {
    let mut tree = document::parse(xml).map_err(|error| Failure::new(error.vietnamese(), error.to_string()))?;
    tree.bind_prefixes(prefixes);
    Ok(tree)
}

/// The path of a form's node, such as `/data/members[2]/age`: with its place among the siblings of its name that
/// expressions see, where there are several.
fn form_path(tree: &Tree, node: NodeId) -> String {
    let mut steps = Vec::new();
    let mut next = Some(node);
    while let Some(node) = next {
        next = tree.parent(node);
        let Some(parent) = next else { break };
        let name = &tree.name(node).local;
        let is_namesake = |other: &NodeId| {
            tree.kind(*other) == NodeKind::Element && tree.name(*other).local == *name && tree.is_relevant(*other)
        };
        let namesakes: Vec<NodeId> = tree.children(parent).filter(is_namesake).collect();
        let place = namesakes.iter().position(|other| *other == node).unwrap_or(0) + 1;
        steps.push(match namesakes.len() {
            0 | 1 => format!("/{name}"),
            _ => format!("/{name}[{place}]"),
        });
    }
    if steps.is_empty() {
        return "/".to_owned();
    }
    steps.reverse();
    steps.concat()
}
