//! Independent samples in strata.

use super::{
    Draw, InclusionProbability, SampleGenerator, SamplingError, proportional_to_size, simple_random, systematic,
};

/// How units are drawn from a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Every set of the same size has the same chance: [`simple_random`].
    SimpleRandom,
    /// At equal distances: [`systematic()`].
    Systematic,
    /// At equal distances along the cumulated sizes: [`proportional_to_size()`].
    ProportionalToSize,
}

/// Draws `size` units by a method. `sizes` has one measure of size a unit; only sampling proportional to size reads the
/// values.
///
/// # Errors
/// As the method's own function.
pub fn draw(
    method: Method,
    sizes: &[u64],
    size: usize,
    generator: &mut SampleGenerator,
) -> Result<Draw, SamplingError> {
    match method {
        Method::SimpleRandom => simple_random(sizes.len(), size, generator),
        Method::Systematic => systematic(sizes.len(), size, generator),
        Method::ProportionalToSize => proportional_to_size(sizes, size, generator),
    }
}

/// Draws `stratum_sizes[h]` units of each stratum h, independently: stratum h uses stream h of the seed.
///
/// `strata` has each unit's stratum and `sizes` its measure of size. In every stratum at least one unit must be drawn, as
/// estimates for the whole would be biased otherwise.
///
/// # Errors
/// [`SamplingError`] when lists differ in length, a unit names no stratum, a stratum cannot give so many units, or a size
/// is out of range (named by the unit's position in the whole frame).
pub fn stratified(
    method: Method,
    strata: &[usize],
    sizes: &[u64],
    stratum_sizes: &[usize],
    seed: u64,
) -> Result<Draw, SamplingError> {
    if sizes.len() != strata.len() {
        return Err(SamplingError::Length {
            what: "sizes",
            given: sizes.len(),
            expected: strata.len(),
        });
    }
    let mut members = vec![Vec::new(); stratum_sizes.len()];
    for (unit, stratum) in strata.iter().enumerate() {
        let list = members.get_mut(*stratum).ok_or(SamplingError::UnknownStratum {
            unit,
            stratum: *stratum,
            strata: stratum_sizes.len(),
        })?;
        list.push(unit);
    }
    let mut selected = Vec::new();
    let mut probabilities = vec![InclusionProbability::CERTAIN; strata.len()];
    for (stratum, (units, size)) in members.iter().zip(stratum_sizes).enumerate() {
        if !(1..=units.len()).contains(size) {
            return Err(SamplingError::StratumSize {
                stratum,
                size: *size,
                units: units.len(),
            });
        }
        let own_sizes: Vec<u64> = units.iter().map(|unit| sizes[*unit]).collect();
        let mut generator = SampleGenerator::new(seed, stratum as u64);
        let drawn = draw(method, &own_sizes, *size, &mut generator).map_err(|error| error.of_units(units))?;
        selected.extend(drawn.selected.iter().map(|place| units[*place]));
        for (unit, probability) in units.iter().zip(drawn.probabilities) {
            probabilities[*unit] = probability;
        }
    }
    selected.sort_unstable();
    Ok(Draw {
        selected,
        probabilities,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampling::Value;

    #[test]
    fn each_stratum_gives_its_own_and_is_not_touched_by_others() {
        let strata = [0, 1, 0, 1, 0, 1, 1, 1];
        let sizes = [1; 8];
        let draw = stratified(Method::SimpleRandom, &strata, &sizes, &[2, 3], 11).unwrap();
        let of = |stratum| draw.selected.iter().filter(|unit| strata[**unit] == stratum).count();
        assert_eq!((of(0), of(1)), (2, 3));
        assert_eq!(draw.probabilities[0].fraction(), (2, 3));
        assert_eq!(draw.probabilities[1].fraction(), (3, 5));
        // Another size in stratum 1 leaves the sample of stratum 0 as it is.
        let other = stratified(Method::SimpleRandom, &strata, &sizes, &[2, 1], 11).unwrap();
        let first = |draw: &Draw| {
            draw.selected
                .iter()
                .copied()
                .filter(|unit| strata[*unit] == 0)
                .collect::<Vec<_>>()
        };
        assert_eq!(first(&draw), first(&other));
    }

    #[test]
    fn faults_name_units_of_the_whole_frame() {
        let error = stratified(Method::ProportionalToSize, &[0, 1, 1], &[3, 2, 0], &[1, 1], 0).unwrap_err();
        assert_eq!(
            error,
            SamplingError::OutOfRange {
                value: Value::Size(2),
                given: 0.0
            }
        );
        let error = stratified(Method::Systematic, &[0, 2], &[1, 1], &[1, 1], 0).unwrap_err();
        assert!(error.to_string().contains("unit 1 is in stratum 2"));
        let error = stratified(Method::Systematic, &[0, 1], &[1, 1], &[1, 2], 0).unwrap_err();
        assert!(error.vietnamese().contains("tầng 1 phải cho 2 đơn vị nhưng có 1"));
    }
}
