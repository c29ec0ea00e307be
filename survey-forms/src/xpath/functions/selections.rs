//! Functions on the choices of select questions (ODK XForms specification, "Select functions" and `jr:choice-name`).

use super::text::{trimmed, words};
use super::{EvaluationError, Expression, Object, Scope};

/// `selected(list, name)`: whether `name` is one of the space-separated names; of a blank list only the blank name is.
pub(super) fn selected(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    let list = scope.borrowed_text(&arguments[0])?;
    let wanted = scope.borrowed_text(&arguments[1])?;
    let wanted = trimmed(&wanted);
    Ok(Object::Boolean(if wanted.is_empty() {
        trimmed(&list).is_empty()
    } else {
        words(&list).any(|name| name == wanted)
    }))
}

/// `selected-at(list, n)`: the name at place n, counted from 0, fractions dropped; blank outside the list.
pub(super) fn selected_at(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    let list = scope.borrowed_text(&arguments[0])?;
    let place = scope.number(&arguments[1])?.trunc();
    let name = words(&list).zip(0_u32..).find(|(_, index)| f64::from(*index) == place);
    Ok(Object::Text(name.map_or_else(String::new, |(name, _)| name.to_owned())))
}

pub(super) fn count_selected(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    let list = scope.borrowed_text(&arguments[0])?;
    Ok(Object::Number(words(&list).count() as f64))
}

/// The question that the second argument of `jr:choice-name` names: `'${q}'`, or a path whose last step is q.
pub(crate) fn choice_name_question(written: &str) -> &str {
    let written = written.trim();
    match written.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) {
        Some(name) => name.trim(),
        None => written.rsplit('/').next().unwrap_or(written).trim(),
    }
}

/// `jr:choice-name(name, '${question}')`: the label of the question's choice in the caller's language, else in the
/// form's default language; blank where there is no such choice.
pub(super) fn choice_name(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    let choice = scope.text(&arguments[0])?;
    let written = scope.text(&arguments[1])?;
    let index = scope.tree.index();
    let question = choice_name_question(&written);
    let position = index
        .positions
        .get(question)
        .ok_or_else(|| EvaluationError::UnknownQuestion(question.to_owned()))?;
    let labels = index
        .choice_labels
        .get(position)
        .and_then(|choices| choices.get(&choice));
    let wanted = std::iter::once(&scope.context.language).chain(&index.languages);
    let label = labels.and_then(|labels| wanted.filter_map(|language| labels.get(language)).next());
    Ok(Object::Text(label.cloned().unwrap_or_default()))
}
