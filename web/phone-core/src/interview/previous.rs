//! "Same as before": answers that the instance before in a roster has and that this one may take over, where the form
//! allows it of a question by the appearance [`SAME_AS_PREVIOUS`].

use survey_forms::answers::{AnswerPath, InstanceId, Value};
use survey_forms::session::AskedQuestion;
use survey_forms::xpath::Moment;

use super::{OpenInterview, Place};

/// The word in the column `appearance` by which a form's author allows it. Other programs ignore appearances that they do
/// not know.
const SAME_AS_PREVIOUS: &str = "same-as-previous";

impl OpenInterview {
    /// What the instance before answered to this question, where nobody answered it here yet and the form allows to take it
    /// over.
    pub(super) fn previous_answer(&self, asked: &AskedQuestion<'static>) -> Option<Value> {
        let AskedQuestion { path, node } = asked;
        if !node.has_appearance(SAME_AS_PREVIOUS) || !asked.takes_answer() {
            return None;
        }
        if self.session.value(path).is_some() || self.session.is_read_only(path) {
            return None;
        }
        let before = self.instance_before(path.instance.as_ref()?)?;
        let value = self.session.value(&AnswerPath {
            instance: Some(before),
            question: path.question.clone(),
        })?;
        let offers = |name: &String| self.session.choices(path).iter().any(|choice| choice.name == *name);
        let is_offered = match &value {
            _ if node.kind.choice_source().is_none() => true,
            Value::Text(name) => offers(name),
            Value::Choices(names) => names.iter().all(offers),
            _ => true,
        };
        is_offered.then_some(value)
    }

    /// How many questions of an instance could be answered as in the one before.
    pub(super) fn previous_answers(&self, questions: &[AskedQuestion<'static>]) -> usize {
        questions
            .iter()
            .filter(|asked| self.previous_answer(asked).is_some())
            .count()
    }

    /// Answers everything in an instance that is open and may be answered as in the one before. What the form does not take
    /// stays open.
    pub(crate) fn answer_as_previous(&mut self, instance: &InstanceId, now: Moment) {
        let mut tried: Vec<AnswerPath> = Vec::new();
        // An answer may bring further questions, or take some away.
        loop {
            let questions = self.questions_in(instance).into_iter();
            let mut open = questions.filter_map(|asked| Some((self.previous_answer(&asked)?, asked.path)));
            let Some((value, path)) = open.find(|(_, path)| !tried.contains(path)) else {
                return;
            };
            tried.push(path.clone());
            self.answer(&path, Some(value), now);
        }
    }

    fn instance_before(&self, instance: &InstanceId) -> Option<InstanceId> {
        let Place::Roster { repeat, parent } = self.roster_of(instance)? else {
            return None;
        };
        let instances = self.session.shown_instances(repeat, parent.as_ref());
        let number = instances.iter().position(|other| other == instance)?;
        instances.get(number.checked_sub(1)?).cloned()
    }
}
