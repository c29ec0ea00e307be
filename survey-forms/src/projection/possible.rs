//! The values that unsettled answers leave possible.

use std::collections::BTreeSet;

use super::{IndicatorExpressions, IndicatorValues, OpenConflict, Projector, Ratio};
use crate::answers::Value;
use crate::instance::{Instance, is_calculated, text_of};
use crate::xpath::{BinaryOperator, Expression, NodeId, PathStart};

/// The most combinations of answers that are tried for one indicator, and the most distinct values that are kept.
const MAX_COMBINATIONS: usize = 4096;

/// A conflict's place in the tree with the texts among which it is to be settled.
struct Question {
    node: NodeId,
    texts: Vec<String>,
}

impl Projector {
    /// The conflicts that matter for an expression, by its dependencies. A conflict about a place that the tree does not
    /// have (a member since removed) matters to nobody.
    fn questions(
        &self,
        instance: &Instance,
        conflicts: &[OpenConflict],
        matters: impl Fn(usize) -> bool,
    ) -> Vec<Question> {
        let mut questions: Vec<Question> = Vec::new();
        for conflict in conflicts {
            let Some(position) = self.form.position(&conflict.path.question) else {
                continue;
            };
            let Some(node) = instance.node(&self.form, &conflict.path).filter(|_| matters(position)) else {
                continue;
            };
            // A calculation has no answer of its own.
            if is_calculated(&self.form, position) {
                continue;
            }
            let text = |value: &Option<Value>| match value {
                Some(value) => text_of(&self.form, position, value.clone()),
                None => String::new(),
            };
            let mut texts: Vec<String> = conflict.values.iter().map(text).collect();
            texts.push(instance.tree.value(node).to_owned());
            texts.sort();
            texts.dedup();
            if texts.len() > 1 && questions.iter().all(|question| question.node != node) {
                questions.push(Question { node, texts });
            }
        }
        questions
    }

    pub(super) fn possible_responded(
        &self,
        instance: &mut Instance,
        conflicts: &[OpenConflict],
        responded: bool,
    ) -> BTreeSet<bool> {
        let questions = self.questions(instance, conflicts, |position| {
            self.respondent.depends_on.contains(&position)
        });
        let mut found = BTreeSet::from([responded]);
        if combinations(&questions).is_none() {
            return BTreeSet::from([false, true]);
        }
        self.for_each_combination(instance, &questions, None, &mut |instance| {
            found.insert(self.is_true(instance, &self.respondent.expression, &self.respondent.variables));
        });
        found
    }

    pub(super) fn possible(
        &self,
        instance: &mut Instance,
        indicator: &IndicatorExpressions,
        conflicts: &[OpenConflict],
        value: Ratio,
    ) -> IndicatorValues {
        let questions = self.questions(instance, conflicts, |position| {
            indicator.depends_on_position(position) || self.respondent.depends_on.contains(&position)
        });
        let mut found = Distinct::default();
        if questions.is_empty() {
            return IndicatorValues {
                value,
                possible: Vec::new(),
                exact: true,
            };
        }
        let exact = match self.repeat_for_sums(indicator) {
            Some(repeat) => self.sums(instance, indicator, repeat, questions, &mut found),
            None => self.products(instance, indicator, &questions, &mut found),
        };
        IndicatorValues {
            value,
            possible: found.into_sorted(),
            exact,
        }
    }

    /// The repeat whose instances contribute independently, unless the respondent's expression looks into it.
    fn repeat_for_sums(&self, indicator: &IndicatorExpressions) -> Option<usize> {
        let repeat = indicator.counted_over()?;
        let looks_into = |position: &usize| self.form.repeat_of(*position) == Some(repeat);
        (!self.respondent.depends_on.iter().any(looks_into)).then_some(repeat)
    }

    /// Tries every combination; where there are too many, the hull from the expressions' own bounds.
    fn products(
        &self,
        instance: &mut Instance,
        indicator: &IndicatorExpressions,
        questions: &[Question],
        found: &mut Distinct,
    ) -> bool {
        if combinations(questions).is_none() {
            let y = self.bounds(instance, &indicator.numerator.expression);
            let x = self.bounds(instance, &indicator.denominator.expression);
            found.insert_corners(y.including(0.0), x.including(0.0));
            return false;
        }
        self.for_each_combination(instance, questions, None, &mut |instance| {
            found.insert(self.counted_ratio(instance, indicator));
        });
        true
    }

    /// Adds up the possible contributions of each instance, for every combination of the conflicts outside the repeat.
    fn sums(
        &self,
        instance: &mut Instance,
        indicator: &IndicatorExpressions,
        repeat: usize,
        questions: Vec<Question>,
        found: &mut Distinct,
    ) -> bool {
        let places: Vec<NodeId> = instance.tree.nodes_of(repeat).to_vec();
        let (inside, outside): (Vec<Question>, Vec<Question>) = questions
            .into_iter()
            .partition(|question| places.iter().any(|place| instance.tree.contains(*place, question.node)));
        if combinations(&outside).is_none() {
            let all: Vec<Question> = outside.into_iter().chain(inside).collect();
            return self.products(instance, indicator, &all, found);
        }
        let mut by_place: Vec<(NodeId, Vec<Question>)> = places.iter().map(|place| (*place, Vec::new())).collect();
        for question in inside {
            if let Some((_, own)) = by_place
                .iter_mut()
                .find(|(place, _)| instance.tree.contains(*place, question.node))
            {
                own.push(question);
            }
        }
        let mut exact = true;
        self.for_each_combination(instance, &outside, None, &mut |instance| {
            if !self.is_true(instance, &self.respondent.expression, &self.respondent.variables) {
                found.insert(Ratio::ZERO);
                return;
            }
            let mut totals = Distinct::default();
            totals.insert(Ratio::ZERO);
            for (place, own) in &by_place {
                let contributions = self.contributions(instance, indicator, &places, *place, own);
                exact &= contributions.exact;
                exact &= totals.add_each(&contributions.values);
            }
            for total in totals.ratios {
                found.insert(total);
            }
        });
        if !exact {
            found.replace_by_corners();
        }
        exact
    }

    /// What one instance can contribute, the others hidden.
    fn contributions(
        &self,
        instance: &mut Instance,
        indicator: &IndicatorExpressions,
        places: &[NodeId],
        place: NodeId,
        own: &[Question],
    ) -> Contributions {
        let mut values = Distinct::default();
        let hidden: Vec<NodeId> = places
            .iter()
            .copied()
            .filter(|other| *other != place && instance.tree.is_relevant(*other))
            .collect();
        let exact = combinations(own).is_some();
        let mut record = |instance: &mut Instance| {
            for other in &hidden {
                instance.tree.set_relevant(*other, false);
            }
            values.insert(self.ratio(instance, indicator));
            for other in &hidden {
                instance.tree.set_relevant(*other, true);
            }
        };
        if exact {
            self.for_each_combination(instance, own, Some(place), &mut record);
        } else {
            record(instance);
            let side = |expression: &Expression| self.bounds_of_one(expression);
            values.insert_corners(
                side(&indicator.numerator.expression),
                side(&indicator.denominator.expression),
            );
        }
        Contributions { values, exact }
    }

    fn counted_ratio(&self, instance: &Instance, indicator: &IndicatorExpressions) -> Ratio {
        if self.is_true(instance, &self.respondent.expression, &self.respondent.variables) {
            self.ratio(instance, indicator)
        } else {
            Ratio::ZERO
        }
    }

    /// Calls `visit` with the tree under every combination of the questions' values, then restores the tree.
    fn for_each_combination(
        &self,
        instance: &mut Instance,
        questions: &[Question],
        within: Option<NodeId>,
        visit: &mut dyn FnMut(&mut Instance),
    ) {
        if questions.is_empty() {
            visit(instance);
            return;
        }
        let before: Vec<String> = questions
            .iter()
            .map(|question| instance.tree.value(question.node).to_owned())
            .collect();
        let mut chosen = vec![0; questions.len()];
        'combinations: loop {
            for (question, choice) in questions.iter().zip(&chosen) {
                let text: &String = &question.texts[*choice];
                instance.tree.set_value(question.node, text.clone());
            }
            instance.compute(&self.form, &self.context, &self.order, within);
            visit(instance);
            for (question, choice) in questions.iter().zip(chosen.iter_mut()) {
                *choice += 1;
                if *choice < question.texts.len() {
                    continue 'combinations;
                }
                *choice = 0;
            }
            break;
        }
        for (question, text) in questions.iter().zip(before) {
            instance.tree.set_value(question.node, text);
        }
        instance.compute(&self.form, &self.context, &self.order, within);
    }

    /// Bounds that hold whatever the answers are.
    fn bounds(&self, instance: &Instance, expression: &Expression) -> Interval {
        match expression {
            Expression::Number(number) => Interval(*number, *number),
            Expression::Negate(inner) => {
                let Interval(least, most) = self.bounds(instance, inner);
                Interval(-most, -least)
            }
            Expression::Binary(BinaryOperator::Add, left, right) => {
                let (left, right) = (self.bounds(instance, left), self.bounds(instance, right));
                Interval(left.0 + right.0, left.1 + right.1)
            }
            Expression::Binary(operator, ..) if operator.gives_truth() => Interval(0.0, 1.0),
            Expression::Call(call) => match (call.function.name, call.arguments.as_slice()) {
                ("number", [inner]) => self.bounds(instance, inner),
                ("boolean" | "not" | "selected" | "true" | "false", _) => Interval(0.0, 1.0),
                ("if", [_, yes, no]) => {
                    let (yes, no) = (self.bounds(instance, yes), self.bounds(instance, no));
                    Interval(yes.0.min(no.0), yes.1.max(no.1))
                }
                ("count", [Expression::Path(path)]) => match &path.start {
                    PathStart::Question(name) if path.steps.is_empty() => {
                        let position = self.form.position(name).unwrap_or(usize::MAX);
                        Interval(0.0, instance.tree.nodes_of(position).len() as f64)
                    }
                    _ => Interval(0.0, f64::INFINITY),
                },
                _ => Interval::UNBOUNDED,
            },
            _ => Interval::UNBOUNDED,
        }
    }

    /// Bounds of what one instance adds to a sum over its repeat.
    fn bounds_of_one(&self, expression: &Expression) -> Interval {
        match expression {
            Expression::Binary(BinaryOperator::Add, left, right) => {
                let (left, right) = (self.bounds_of_one(left), self.bounds_of_one(right));
                Interval(left.0 + right.0, left.1 + right.1)
            }
            Expression::Call(call) if call.function.name == "count" => Interval(0.0, 1.0),
            _ => Interval::UNBOUNDED,
        }
    }
}

struct Contributions {
    values: Distinct,
    exact: bool,
}

/// The least and the greatest value.
#[derive(Clone, Copy)]
struct Interval(f64, f64);

impl Interval {
    const UNBOUNDED: Self = Self(f64::NEG_INFINITY, f64::INFINITY);

    fn including(self, number: f64) -> Self {
        Self(self.0.min(number), self.1.max(number))
    }
}

/// How many combinations the questions have; none where more than allowed.
fn combinations(questions: &[Question]) -> Option<usize> {
    questions.iter().try_fold(1_usize, |product, question| {
        product
            .checked_mul(question.texts.len())
            .filter(|product| *product <= MAX_COMBINATIONS)
    })
}

/// Distinct ratios.
#[derive(Default)]
struct Distinct {
    ratios: Vec<Ratio>,
    seen: BTreeSet<(u64, u64)>,
}

impl Distinct {
    fn insert(&mut self, ratio: Ratio) {
        // Adding zero makes negative zero positive, so that equal numbers have equal bits.
        let ratio = Ratio {
            y: ratio.y + 0.0,
            x: ratio.x + 0.0,
        };
        if self.seen.insert((ratio.y.to_bits(), ratio.x.to_bits())) {
            self.ratios.push(ratio);
        }
    }

    fn insert_corners(&mut self, y: Interval, x: Interval) {
        for y in [y.0, y.1] {
            for x in [x.0, x.1] {
                self.insert(Ratio { y, x });
            }
        }
    }

    /// Adds each of `others` to each of these; false where there would be too many and only the corners are kept.
    fn add_each(&mut self, others: &Self) -> bool {
        let mut sums = Self::default();
        for left in &self.ratios {
            for right in &others.ratios {
                sums.insert(Ratio {
                    y: left.y + right.y,
                    x: left.x + right.x,
                });
            }
        }
        let few = sums.ratios.len() <= MAX_COMBINATIONS;
        if !few {
            sums.replace_by_corners();
        }
        *self = sums;
        few
    }

    fn replace_by_corners(&mut self) {
        let hull = |side: fn(&Ratio) -> f64| {
            self.ratios
                .iter()
                .map(side)
                .fold(Interval(f64::INFINITY, f64::NEG_INFINITY), Interval::including)
        };
        let (y, x) = (hull(|ratio| ratio.y), hull(|ratio| ratio.x));
        *self = Self::default();
        self.insert_corners(y, x);
    }

    fn into_sorted(mut self) -> Vec<Ratio> {
        self.ratios
            .sort_by(|left, right| left.x.total_cmp(&right.x).then(left.y.total_cmp(&right.y)));
        self.ratios
    }
}
