//! The shapes in which pages are told of an interview: those of `web/phone/src/core/protocol.ts`.

use std::collections::BTreeMap;

use serde::Serialize;
use survey_forms::answers::{AnswerPath, InstanceId, Value};

use super::Layout;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InterviewView {
    pub(super) unit: String,
    pub(super) address: String,
    pub(super) person: Option<String>,
    pub(super) form_title: String,
    pub(super) languages: Vec<LanguageView>,
    pub(super) language: String,
    pub(super) layout: Layout,
    pub(super) step: StepView,
    pub(super) first: bool,
    pub(super) last: bool,
    pub(super) sections: Vec<SectionView>,
    pub(super) answered: usize,
    pub(super) asked: usize,
    pub(super) elapsed: i64,
    pub(super) hints: Vec<HintView>,
    pub(super) positions: Option<PositionsView>,
}

/// Something that looks odd.
#[derive(Debug, Serialize)]
pub(crate) struct HintView {
    pub(super) id: String,
    pub(super) text: String,
    pub(super) person: Option<String>,
    pub(super) step: Option<String>,
}

/// How the form wants positions recorded.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PositionsView {
    pub(super) priority: String,
    pub(super) min_interval: i64,
    pub(super) max_age: i64,
}

#[derive(Debug, Serialize)]
pub(crate) struct LanguageView {
    pub(super) code: String,
    pub(super) name: String,
}

#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub(crate) enum StepView {
    Page {
        id: String,
        headings: Vec<String>,
        instance: Option<PageInstance>,
        questions: Vec<QuestionView>,
    },
    Roster {
        id: String,
        headings: Vec<String>,
        repeat: String,
        parent: Option<InstanceId>,
        label: String,
        instances: Vec<InstanceView>,
        counted: bool,
    },
    End {
        id: String,
        problems: Vec<PlacedProblem>,
    },
}

#[derive(Debug, Serialize)]
pub(crate) struct PageInstance {
    #[serde(flatten)]
    pub(super) instance: InstanceView,
    pub(super) repeat: String,
    pub(super) count: usize,
}

#[derive(Debug, Serialize)]
pub(crate) struct InstanceView {
    pub(super) id: InstanceId,
    pub(super) title: String,
    pub(super) number: usize,
    pub(super) answered: usize,
    pub(super) asked: usize,
    pub(super) problems: usize,
    pub(super) previous: usize,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QuestionView {
    pub(super) path: AnswerPath,
    pub(super) kind: &'static str,
    pub(super) label: String,
    pub(super) hint: String,
    pub(super) guidance: String,
    pub(super) value: Option<Value>,
    pub(super) required: bool,
    pub(super) read_only: bool,
    pub(super) choices: Vec<ChoiceView>,
    pub(super) appearance: Vec<String>,
    pub(super) parameters: BTreeMap<String, String>,
    pub(super) problem: Option<ProblemView>,
    pub(super) conflict: Option<ConflictView>,
    pub(super) previous: Option<PreviousView>,
}

/// What the instance before answered.
#[derive(Debug, Serialize)]
pub(crate) struct PreviousView {
    pub(super) value: Value,
    pub(super) shown: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct ChoiceView {
    pub(super) name: String,
    pub(super) label: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct ProblemView {
    pub(super) path: AnswerPath,
    pub(super) severity: &'static str,
    pub(super) message: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct PlacedProblem {
    pub(super) step: String,
    pub(super) label: String,
    pub(super) person: Option<String>,
    pub(super) problem: ProblemView,
}

#[derive(Debug, Serialize)]
pub(crate) struct SectionView {
    pub(super) step: String,
    pub(super) label: String,
    pub(super) answered: usize,
    pub(super) asked: usize,
    pub(super) current: bool,
}

/// A question to which people gave different answers.
#[derive(Debug, Serialize)]
pub(crate) struct ConflictView {
    pub(super) path: AnswerPath,
    pub(super) label: String,
    pub(super) person: Option<String>,
    pub(super) claims: Vec<ClaimView>,
}

#[derive(Debug, Serialize)]
pub(crate) struct ClaimView {
    pub(super) value: Option<Value>,
    pub(super) shown: String,
    pub(super) author: String,
    pub(super) own: bool,
    pub(super) time: i64,
}
