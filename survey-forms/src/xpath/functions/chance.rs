//! Functions of chance (ODK XForms specification, "random", "randomize", "uuid"). They take it from the caller's seed.

use super::super::randomness::{seed_from, seed_of, shuffle, unit_interval};
use super::{EvaluationError, Expression, Object, Scope};

/// The longest text that `uuid(length)` gives, in characters.
pub(crate) const MAX_UUID_LENGTH: usize = 1_000;

/// `random()`: a number from 0 to 1, 1 excluded.
pub(super) fn random(scope: &Scope<'_>, _: &[Expression]) -> Result<Object, EvaluationError> {
    Ok(Object::Number(unit_interval(&scope.random_bytes("random()")?)))
}

/// `uuid()`: a random UUID (RFC 9562, version 4); `uuid(length)`: the first so many characters of one or several.
pub(super) fn uuid(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    let Some(length) = arguments.first() else {
        return Ok(Object::Text(random_uuid(scope)?));
    };
    let length = scope.number(length)?.trunc();
    if !(0.0..=MAX_UUID_LENGTH as f64).contains(&length) {
        return Err(EvaluationError::BadLength);
    }
    let length = length as usize;
    let mut text = String::new();
    while text.len() < length {
        text += &random_uuid(scope)?;
    }
    text.truncate(length);
    Ok(Object::Text(text))
}

fn random_uuid(scope: &Scope<'_>) -> Result<String, EvaluationError> {
    let bytes = scope.random_bytes("uuid()")?;
    let mut bits = bytes
        .iter()
        .take(16)
        .fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
    // RFC 9562 §5.4: the version is 4, the variant binary 10.
    bits = bits & !(0xf << 76) | 4 << 76;
    bits = bits & !(0x3 << 62) | 2 << 62;
    let hex = format!("{bits:032x}");
    let mut parts = Vec::new();
    let mut rest = hex.as_str();
    for length in [8, 4, 4, 4] {
        let (part, after) = rest.split_at(length);
        parts.push(part);
        rest = after;
    }
    parts.push(rest);
    Ok(parts.join("-"))
}

/// `randomize(nodes, seed?)`: the nodes in another order; with a seed always the same one, as in JavaRosa and ODK Web
/// Forms. A seed that is no number counts by its hash, a blank one as 0.
pub(super) fn randomize(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    let mut nodes = scope.nodes(&arguments[0], "randomize()")?;
    let seed = match arguments.get(1) {
        None => seed_from(&scope.random_bytes("randomize()")?),
        Some(seed) => {
            let seed = scope.evaluate(seed)?;
            let number = seed.to_number(scope.tree, scope.context.now.utc_offset_minutes);
            seed_of(number, &seed.to_answer(scope.tree))
        }
    };
    shuffle(&mut nodes, seed);
    Ok(Object::Nodes(nodes))
}
