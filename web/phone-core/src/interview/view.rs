//! What a page shows of the open interview.

use std::collections::BTreeMap;

use survey_forms::answers::{AnswerPath, InstanceId, Value};
use survey_forms::model::NodeKind;
use survey_forms::session::{AnswerProblem, AskedQuestion, Row, Severity};
use survey_forms::xpath::number_to_text;
use sync_core::ActorId;
use sync_core::response::Conflict;

use super::audit::Audit;
use super::shapes::{
    ChoiceView, ClaimView, ConflictView, InstanceView, InterviewView, LanguageView, PageInstance, PlacedProblem,
    PositionsView, PreviousView, ProblemView, QuestionView, SectionView, StepView,
};
use super::{Layout, OpenInterview, Place};
use crate::household;

/// Who wrote what: names by actors.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// The actors of this phone's keys.
    pub(crate) own: Vec<ActorId>,
    /// Names by actors in hexadecimal.
    pub(crate) others: BTreeMap<String, String>,
}

impl OpenInterview {
    /// What the page shows now.
    pub(crate) fn view(&self, address: &str, names: &Names, now: i64) -> InterviewView {
        let form = self.session.form();
        let here = self.here();
        let elapsed = now.saturating_sub(self.started_at).max(0);
        let (answered, asked) = self.counts();
        let languages = form.languages().iter();
        InterviewView {
            unit: self.unit.clone(),
            address: address.to_owned(),
            person: household::person(&self.session),
            form_title: form.settings().shown_title().to_owned(),
            languages: languages
                .map(|language| LanguageView {
                    code: language.code.clone(),
                    name: language.name.clone(),
                })
                .collect(),
            language: self.session.context().language.clone(),
            layout: self.layout,
            first: self.previous() == here,
            last: here == Place::End,
            sections: self.sections(&here),
            answered,
            asked,
            elapsed,
            hints: if here == Place::End {
                self.hints(elapsed)
            } else {
                Vec::new()
            },
            positions: self
                .audit
                .as_ref()
                .and_then(Audit::locations)
                .map(|parameters| PositionsView {
                    priority: parameters.priority.clone(),
                    min_interval: parameters.min_interval,
                    max_age: parameters.max_age,
                }),
            step: self.step(&here, names),
        }
    }

    /// The conflicts as they were when the interview was opened, without those settled since.
    pub(crate) fn conflicts(&self, names: &Names) -> Vec<ConflictView> {
        let conflicts = self.conflicts.iter();
        conflicts.map(|conflict| self.conflict(conflict, names)).collect()
    }

    fn step(&self, here: &Place, names: &Names) -> StepView {
        match here {
            Place::Page { level, group, .. } => {
                let questions = self.questions_of(here);
                let problems = self.session.validate_questions(&questions);
                StepView::Page {
                    id: here.id(),
                    headings: self.headings(*group),
                    instance: level.as_ref().and_then(|level| self.page_instance(level)),
                    questions: questions
                        .into_iter()
                        .map(|asked| self.question(asked, &problems, names))
                        .collect(),
                }
            }
            Place::Roster { repeat, parent } => {
                let form = self.session.form();
                let row = self.row(*repeat);
                StepView::Roster {
                    id: here.id(),
                    headings: self.headings(row.and_then(|row| row.parent)),
                    repeat: form.key(*repeat).to_owned(),
                    parent: parent.clone(),
                    label: self.label(*repeat, parent.as_ref()),
                    instances: self.instances(*repeat, parent.as_ref()),
                    counted: row.is_some_and(|row| row.repeat_count.is_some()),
                }
            }
            Place::End => StepView::End {
                id: here.id(),
                problems: self.placed_problems(),
            },
        }
    }

    fn question(&self, asked: AskedQuestion<'static>, problems: &[AnswerProblem], names: &Names) -> QuestionView {
        let previous = self.previous_answer(&asked);
        let AskedQuestion { path, node } = asked;
        let text = |texts| self.session.shown_text(&path, texts);
        let conflict = self.conflicts.iter().find(|conflict| conflict.path == path);
        let value = self.session.value(&path);
        // What nobody has answered yet is not wrong yet.
        let problem = problems.iter().find(|problem| problem.path == path && value.is_some());
        QuestionView {
            kind: kind(&node.kind),
            label: text(&node.label),
            hint: text(&node.hint),
            guidance: text(&node.guidance_hint),
            required: self.session.is_required(&path),
            read_only: self.session.is_read_only(&path),
            choices: self.choices(&path),
            appearance: node
                .appearance
                .iter()
                .flat_map(|words| words.split_ascii_whitespace())
                .map(str::to_owned)
                .collect(),
            parameters: node.parameters.clone(),
            problem: problem.map(problem_view),
            conflict: conflict.map(|conflict| self.conflict(conflict, names)),
            previous: previous.map(|value| PreviousView {
                shown: self.shown(&path, &value),
                value,
            }),
            value,
            path,
        }
    }

    fn choices(&self, path: &AnswerPath) -> Vec<ChoiceView> {
        let offered = self.session.choices(path).into_iter();
        offered
            .map(|choice| {
                let label = self.session.shown_text(path, &choice.label);
                ChoiceView {
                    label: if label.is_empty() { choice.name.clone() } else { label },
                    name: choice.name.clone(),
                }
            })
            .collect()
    }

    fn conflict(&self, conflict: &Conflict, names: &Names) -> ConflictView {
        let path = &conflict.path;
        let row = self.session.form().node(&path.question);
        ConflictView {
            path: path.clone(),
            label: row.map_or_else(
                || path.question.clone(),
                |row| self.session.shown_text(path, &row.label),
            ),
            person: path.instance.as_ref().map(|instance| self.title(instance)),
            claims: conflict
                .claims
                .iter()
                .map(|claim| ClaimView {
                    shown: claim
                        .value
                        .as_ref()
                        .map_or_else(String::new, |value| self.shown(path, value)),
                    author: names.name(&claim.actor),
                    own: names.own.contains(&claim.actor),
                    time: claim.time.saturating_mul(1000),
                    value: claim.value.clone(),
                })
                .collect(),
        }
    }

    /// An answer as people read it.
    pub(crate) fn shown(&self, path: &AnswerPath, value: &Value) -> String {
        let row = self.session.form().node(&path.question);
        let choices = row.map_or(&[][..], |row| self.session.form().choices(row));
        let label = |name: &str| {
            let choice = choices.iter().find(|choice| choice.name == name);
            let label = choice.map(|choice| self.session.shown_text(path, &choice.label));
            label
                .filter(|label| !label.is_empty())
                .unwrap_or_else(|| name.to_owned())
        };
        match value {
            Value::Text(text) => label(text),
            Value::Choices(names) => names.iter().map(|name| label(name)).collect::<Vec<_>>().join(", "),
            Value::Integer(number) => number.to_string(),
            Value::Decimal(number) => number_to_text(*number),
        }
    }

    fn placed_problems(&self) -> Vec<PlacedProblem> {
        let problems = self.session.validate();
        let placed = problems.iter().map(|problem| {
            let path = &problem.path;
            let row = self.session.form().node(&path.question);
            let place = self.page_of(path).or_else(|| {
                // A roster that wants more instances than there may be.
                let repeat = self.session.form().position(&path.question)?;
                Some(Place::Roster {
                    repeat,
                    parent: path.instance.clone(),
                })
            });
            PlacedProblem {
                step: place.unwrap_or_default().id(),
                label: row.map_or_else(String::new, |row| self.session.shown_text(path, &row.label)),
                person: path.instance.as_ref().map(|instance| self.title(instance)),
                problem: problem_view(problem),
            }
        });
        placed.collect()
    }

    /// The top level's sections, whatever the layout.
    fn sections(&self, here: &Place) -> Vec<SectionView> {
        let places = self.places_by(Layout::Section, None);
        let top = self.top_of(here);
        let sections = places.into_iter().filter_map(|place| {
            let (label, (answered, asked)) = match &place {
                Place::Page { group, .. } => {
                    let label = self.headings(*group).pop();
                    (label, self.count(&self.questions_of(&place)))
                }
                Place::Roster { repeat, parent } => {
                    let instances = self.session.shown_instances(*repeat, parent.as_ref());
                    let counts = instances.iter().map(|instance| self.count_instance(instance));
                    let sum = counts.fold((0, 0), |sum, count| (sum.0 + count.0, sum.1 + count.1));
                    (Some(self.label(*repeat, parent.as_ref())), sum)
                }
                Place::End => return None,
            };
            Some(SectionView {
                label: label.unwrap_or_default(),
                answered,
                asked,
                current: top.as_ref().is_some_and(|top| place.holds(top)),
                step: place.id(),
            })
        });
        sections.collect()
    }

    /// The place of the top level that a place belongs to.
    fn top_of(&self, here: &Place) -> Option<Place> {
        let mut place = here.clone();
        while let Some(level) = place.level().cloned() {
            place = self.roster_of(&level)?;
        }
        Some(place)
    }

    /// How many of all questions are answered, of those that are to be asked now.
    pub(super) fn counts(&self) -> (usize, usize) {
        self.count(&self.session.questions())
    }

    fn count(&self, questions: &[AskedQuestion<'static>]) -> (usize, usize) {
        let asked = questions.iter().filter(|asked| asked.takes_answer());
        asked.fold((0, 0), |(answered, asked), question| {
            let is_answered = self.session.value(&question.path).is_some();
            (answered + usize::from(is_answered), asked + 1)
        })
    }

    fn count_instance(&self, instance: &InstanceId) -> (usize, usize) {
        self.count(&self.questions_in(instance))
    }

    /// The questions of an instance and of the instances inside it.
    pub(super) fn questions_in(&self, instance: &InstanceId) -> Vec<AskedQuestion<'static>> {
        let mut found = Vec::new();
        for row in self.session.rows(Some(instance)) {
            match row {
                Row::Question(asked) => found.push(asked),
                Row::Roster { repeat, parent } => {
                    for inner in self.session.shown_instances(repeat, parent.as_ref()) {
                        found.extend(self.questions_in(&inner));
                    }
                }
            }
        }
        found
    }

    fn instances(&self, repeat: usize, parent: Option<&InstanceId>) -> Vec<InstanceView> {
        let instances = self.session.shown_instances(repeat, parent);
        let numbered = instances.into_iter().zip(1..);
        numbered.map(|(id, number)| self.instance(id, number)).collect()
    }

    fn instance(&self, id: InstanceId, number: usize) -> InstanceView {
        let questions = self.questions_in(&id);
        let (answered, asked) = self.count(&questions);
        InstanceView {
            title: self.title(&id),
            number,
            answered,
            asked,
            problems: self.session.validate_questions(&questions).len(),
            previous: self.previous_answers(&questions),
            id,
        }
    }

    fn page_instance(&self, level: &InstanceId) -> Option<PageInstance> {
        let Place::Roster { repeat, parent } = self.roster_of(level)? else {
            return None;
        };
        let instances = self.session.shown_instances(repeat, parent.as_ref());
        let number = instances.iter().position(|instance| instance == level)? + 1;
        Some(PageInstance {
            instance: self.instance(level.clone(), number),
            repeat: self.session.form().key(repeat).to_owned(),
            count: instances.len(),
        })
    }

    /// What an instance is called: the first text answered in it; nothing before there is one.
    pub(super) fn title(&self, instance: &InstanceId) -> String {
        let rows = self.session.rows(Some(instance)).into_iter();
        let texts = rows.filter_map(|row| match row {
            Row::Question(asked) if asked.node.kind == NodeKind::Text => self.session.value(&asked.path),
            _ => None,
        });
        texts.map(|value| value.to_string()).next().unwrap_or_default()
    }

    /// The labels of the groups around a place, the outermost first.
    fn headings(&self, group: Option<usize>) -> Vec<String> {
        let mut labels: Vec<String> = self
            .around(group)
            .filter(|position| self.row(*position).is_some_and(|row| row.kind == NodeKind::Group))
            .map(|position| self.label(position, None))
            .filter(|label| !label.is_empty())
            .collect();
        labels.reverse();
        labels
    }

    pub(super) fn label(&self, position: usize, instance: Option<&InstanceId>) -> String {
        let Some(row) = self.row(position) else {
            return String::new();
        };
        let path = AnswerPath {
            instance: instance.cloned(),
            question: self.session.form().key(position).to_owned(),
        };
        self.session.shown_text(&path, &row.label)
    }
}

impl Place {
    /// Whether a place of the top level is within this one, which may show more on a page.
    fn holds(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Page { first, last, .. }, Self::Page { first: inner, .. }) => (first..=last).contains(&inner),
            (one, other) => one == other,
        }
    }
}

impl Names {
    /// Whether it is known who writes as this actor.
    pub(crate) fn knows(&self, actor: &ActorId) -> bool {
        self.own.contains(actor) || self.others.contains_key(&actor.to_hex_string())
    }

    pub(super) fn name(&self, actor: &ActorId) -> String {
        self.name_of(&actor.to_hex_string())
    }

    /// The name of an actor in hexadecimal, or the beginning of that.
    pub(crate) fn name_of(&self, actor: &str) -> String {
        let named = self.others.get(actor).cloned();
        named.unwrap_or_else(|| actor.chars().take(8).collect())
    }
}

fn problem_view(problem: &AnswerProblem) -> ProblemView {
    ProblemView {
        path: problem.path.clone(),
        severity: match problem.severity {
            Severity::Warning => "warning",
            Severity::Error => "error",
        },
        message: problem.message.clone(),
    }
}

/// The name of a type in XLSForm.
fn kind(kind: &NodeKind) -> &'static str {
    match kind {
        NodeKind::Integer => "integer",
        NodeKind::Decimal => "decimal",
        NodeKind::Range => "range",
        NodeKind::Date => "date",
        NodeKind::Time => "time",
        NodeKind::DateTime => "date_time",
        NodeKind::SelectOne { .. } | NodeKind::SelectOneExternal { .. } => "select_one",
        NodeKind::SelectMultiple { .. } => "select_multiple",
        NodeKind::Rank { .. } => "rank",
        NodeKind::Geopoint => "geopoint",
        NodeKind::Geotrace => "geotrace",
        NodeKind::Geoshape => "geoshape",
        NodeKind::Image => "image",
        NodeKind::Audio => "audio",
        NodeKind::Video => "video",
        NodeKind::File | NodeKind::Osm { .. } => "file",
        NodeKind::Barcode => "barcode",
        NodeKind::Acknowledge => "acknowledge",
        NodeKind::Note => "note",
        NodeKind::Text
        | NodeKind::Calculate
        | NodeKind::Hidden
        | NodeKind::Metadata(_)
        | NodeKind::ExternalData(_)
        | NodeKind::Group
        | NodeKind::Repeat => "text",
    }
}
