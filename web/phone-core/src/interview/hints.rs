//! What looks odd while still in the house: told before the visit ends, and never in the way of ending it.
//!
//! What is odd about answers is for the form to say, by an acknowledgement that is not required and that is asked only
//! where they are (a soft check). Beside these there is what no form can say: that an interview was too quick, and that
//! somebody may be listed twice.

use survey_forms::answers::Value;
use survey_forms::model::NodeKind;
use survey_forms::session::{Row, Severity};

use super::shapes::HintView;
use super::{OpenInterview, Place};
use survey_forms::answers::InstanceId;

/// An interview of fewer seconds than this, with everything answered, is worth a look while still in the house.
const QUICK_SECONDS: i64 = 60;
/// From how many answers on an interview can be too quick.
const QUICK_ANSWERS: usize = 10;

impl OpenInterview {
    /// What to look at again.
    pub(super) fn hints(&self, elapsed: i64) -> Vec<HintView> {
        let quick = self.hint_of_speed(elapsed).into_iter();
        quick.chain(self.hints_of_form()).chain(self.hints_of_names()).collect()
    }

    fn hint_of_speed(&self, elapsed: i64) -> Option<HintView> {
        let (answered, _) = self.counts();
        if elapsed >= QUICK_SECONDS * 1000 || answered <= QUICK_ANSWERS || !self.is_touched() {
            return None;
        }
        let seconds = elapsed / 1000;
        Some(HintView {
            id: "quick".to_owned(),
            text: match self.is_vietnamese() {
                true => format!("Phiếu này mới mất {seconds} giây. Hãy xem lại đã hỏi đủ từng câu chưa."),
                false => format!("This form took {seconds} seconds. Check that every question was asked."),
            },
            person: None,
            step: None,
        })
    }

    /// The form's soft checks that nobody has confirmed.
    fn hints_of_form(&self) -> Vec<HintView> {
        let problems = self.session.validate().into_iter();
        let soft = problems.filter(|problem| problem.severity == Severity::Warning);
        let hints = soft.map(|problem| {
            let path = &problem.path;
            let instance = path.instance.as_ref();
            HintView {
                id: format!("{}/{}", instance.map_or("", InstanceId::as_str), path.question),
                person: instance.map(|instance| self.title(instance)),
                step: self.page_of(path).map(|place| place.id()),
                text: problem.message,
            }
        });
        hints.collect()
    }

    /// People of one roster who have one name, and no number or date that tells them apart.
    fn hints_of_names(&self) -> Vec<HintView> {
        let mut hints = Vec::new();
        for roster in self.rosters() {
            let Place::Roster { repeat, parent } = &roster else {
                continue;
            };
            let mut seen: Vec<(String, Option<Value>)> = Vec::new();
            for instance in self.session.shown_instances(*repeat, parent.as_ref()) {
                let title = self.title(&instance);
                let name = title.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
                if name.is_empty() {
                    continue;
                }
                let number = self.first_number(&instance);
                let is_same = |(other, its_number): &(String, Option<Value>)| {
                    let differs = number.is_some() && its_number.is_some() && number != *its_number;
                    *other == name && !differs
                };
                if seen.iter().any(is_same) {
                    hints.push(HintView {
                        id: format!("twice/{instance}"),
                        text: match self.is_vietnamese() {
                            true => format!("Có hai người cùng tên «{title}». Hãy xem có ghi trùng không."),
                            false => format!("Two people are called \"{title}\". Check that nobody is listed twice."),
                        },
                        person: None,
                        step: Some(roster.id()),
                    });
                }
                seen.push((name, number));
            }
        }
        hints
    }

    /// The first number or date asked of an instance: of people mostly the year or the day of birth, or the age.
    fn first_number(&self, instance: &InstanceId) -> Option<Value> {
        let rows = self.session.rows(Some(instance)).into_iter();
        let mut numbers = rows.filter_map(|row| match row {
            Row::Question(asked) => {
                let is_number = matches!(asked.node.kind, NodeKind::Integer | NodeKind::Decimal | NodeKind::Date);
                is_number.then_some(asked.path)
            }
            Row::Roster { .. } => None,
        });
        self.session.value(&numbers.next()?)
    }

    fn is_vietnamese(&self) -> bool {
        self.session.context().language == "vi"
    }
}
