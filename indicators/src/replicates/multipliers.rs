//! Replicate weights as multipliers of the weights of whole PSUs.

use super::balanced::HalfSamples;
use super::bootstrap::Resampling;
use super::jackknife::Deletions;
use super::{FirstStage, ReplicatesError};

/// What replicate estimates are compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Centre {
    /// Their own mean, as R's `mse = FALSE`.
    #[default]
    ReplicateMean,
    /// The estimate with the full weights, as R's `mse = TRUE`: never smaller.
    FullEstimate,
}

/// Replicate weights of a sample.
#[derive(Debug, Clone)]
pub struct Replicates {
    /// The full weights, one per row.
    pub(super) weights: Vec<f64>,
    /// Position of each row's unit: its PSU, or the row itself for replicates that come as columns.
    pub(super) unit_of_row: Vec<u32>,
    pub(super) units: usize,
    pub(super) kind: Kind,
    /// By what the squared difference of each replicate is multiplied.
    pub(super) scales: Vec<f64>,
    pub(super) degrees_of_freedom: usize,
    pub(super) centre: Centre,
}

/// Where multipliers come from.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    Deletions(Deletions),
    HalfSamples(HalfSamples),
    Resampling(Resampling),
    /// One column per replicate: of weights, or of multipliers of the full weights.
    Columns {
        columns: Vec<Vec<f64>>,
        are_weights: bool,
    },
}

impl Replicates {
    pub(super) fn of_psus(
        weights: &[f64],
        stage: &FirstStage,
        kind: Kind,
        scales: Vec<f64>,
        degrees_of_freedom: usize,
    ) -> Self {
        Replicates {
            weights: weights.to_vec(),
            unit_of_row: stage.psu_of_row.clone(),
            units: stage.psus,
            kind,
            scales,
            degrees_of_freedom,
            centre: Centre::default(),
        }
    }

    /// The same replicates, compared with another centre.
    #[must_use]
    pub fn centred_at(mut self, centre: Centre) -> Self {
        self.centre = centre;
        self
    }

    /// Number of replicates.
    pub fn count(&self) -> usize {
        self.scales.len()
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.weights.len()
    }

    /// The full weights, one per row.
    pub fn full_weights(&self) -> &[f64] {
        &self.weights
    }

    /// By what the squared difference of each replicate is multiplied; R's `scale` times `rscales`.
    pub fn scales(&self) -> &[f64] {
        &self.scales
    }

    /// Degrees of freedom: those of the PSUs within strata, or one less than the rank of weights that come as columns.
    pub fn degrees_of_freedom(&self) -> usize {
        self.degrees_of_freedom
    }

    /// Fills in what each unit's weight is multiplied by in a replicate.
    pub(super) fn multipliers(&self, replicate: usize, multipliers: &mut [f64]) {
        match &self.kind {
            Kind::Deletions(deletions) => deletions.fill(replicate, multipliers),
            Kind::HalfSamples(samples) => samples.fill(replicate, multipliers),
            Kind::Resampling(resampling) => resampling.fill(replicate, multipliers),
            Kind::Columns { columns, .. } => multipliers.copy_from_slice(&columns[replicate]),
        }
    }

    /// What a row's multiplier multiplies.
    pub(super) fn multiplied(&self, row: usize) -> f64 {
        match self.kind {
            Kind::Columns { are_weights: true, .. } => 1.0,
            _ => self.weights[row],
        }
    }

    /// The weights of all rows in a replicate, counted from 0; `None` if there is no such replicate.
    pub fn weights(&self, replicate: usize) -> Option<Vec<f64>> {
        if replicate >= self.count() {
            return None;
        }
        let mut weights = vec![0.0; self.rows()];
        self.fill_weights(replicate, &mut vec![0.0; self.units], &mut weights);
        Some(weights)
    }

    pub(super) fn fill_weights(&self, replicate: usize, multipliers: &mut [f64], weights: &mut [f64]) {
        self.multipliers(replicate, multipliers);
        for (row, (weight, &unit)) in weights.iter_mut().zip(&self.unit_of_row).enumerate() {
            *weight = self.multiplied(row) * multipliers[unit as usize];
        }
    }
}

pub(super) fn check_weights(weights: &[f64], rows: usize) -> Result<(), ReplicatesError> {
    if weights.is_empty() {
        return Err(ReplicatesError::NoRows);
    }
    if weights.len() != rows {
        return Err(ReplicatesError::Length {
            given: weights.len(),
            expected: rows,
        });
    }
    match weights
        .iter()
        .position(|&weight| !(weight >= 0.0 && weight.is_finite()))
    {
        None => Ok(()),
        Some(row) => Err(ReplicatesError::Weight {
            row,
            value: weights[row],
        }),
    }
}
