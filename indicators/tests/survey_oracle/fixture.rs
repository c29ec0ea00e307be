//! Reads the columns and designs of a fixture.

use crate::regression::Regression;
use indicators::linear_algebra::Matrix;
use indicators::survey::{
    DesignColumns, Domain, Joint, Labels, PairForm, Selection, SingleUnits, StageColumns, SurveyDesign,
};
use serde_json::Value;
use std::collections::BTreeMap;

/// One data set with its columns, as numbers and as codes.
pub(crate) struct Fixture<'a> {
    json: &'a Value,
    numbers: BTreeMap<&'a str, Vec<f64>>,
    codes: BTreeMap<&'a str, Vec<u32>>,
}

impl<'a> Fixture<'a> {
    pub(crate) fn new(json: &'a Value) -> Self {
        let columns = json["columns"].as_object().unwrap().iter();
        let numbers: BTreeMap<&str, Vec<f64>> = columns
            .map(|(name, values)| {
                let values = values.as_array().unwrap().iter();
                (
                    name.as_str(),
                    values.map(|value| value.as_f64().unwrap_or(f64::NAN)).collect(),
                )
            })
            .collect();
        let is_code = |value: &f64| *value >= 0.0 && *value < 4e9 && value.fract() == 0.0;
        let codes = numbers
            .iter()
            .filter(|(_, values)| values.iter().all(is_code))
            .map(|(&name, values)| (name, values.iter().map(|&value| value as u32).collect()))
            .collect();
        Fixture { json, numbers, codes }
    }

    pub(crate) fn dataset(&self) -> &'a str {
        self.json["dataset"].as_str().unwrap()
    }

    pub(crate) fn cases(&self) -> &'a [Value] {
        self.json["cases"].as_array().unwrap()
    }

    pub(crate) fn numbers(&self, name: &Value) -> &[f64] {
        let name = name.as_str().unwrap();
        self.numbers
            .get(name)
            .unwrap_or_else(|| panic!("{} has no column {name}", self.dataset()))
    }

    pub(crate) fn codes(&self, name: &Value) -> &[u32] {
        let name = name.as_str().unwrap();
        self.codes
            .get(name)
            .unwrap_or_else(|| panic!("{} has no codes in a column {name}", self.dataset()))
    }

    /// The domain of a statistic.
    pub(crate) fn domain(&self, statistic: &Value) -> Domain<'_> {
        match &statistic["domain"] {
            Value::Null => Domain::Everyone,
            domain => Domain::Category {
                codes: self.codes(&domain["column"]),
                code: domain["code"].as_u64().unwrap() as u32,
            },
        }
    }

    pub(crate) fn design(&self, description: &Value) -> SurveyDesign {
        let optional = |name: &Value| (!name.is_null()).then(|| self.codes(name));
        let stages = description["stages"]
            .as_array()
            .unwrap()
            .iter()
            .map(|stage| StageColumns {
                clusters: optional(&stage["clusters"]),
                strata: optional(&stage["strata"]),
                selection: self.selection(stage),
            });
        SurveyDesign::new(&DesignColumns {
            weights: self.numbers(&description["weights"]),
            stages: stages.collect(),
            labels: serde_json::from_value::<Labels>(description["labels"].clone()).unwrap(),
            single_units: serde_json::from_value::<SingleUnits>(description["single_units"].clone()).unwrap(),
        })
        .unwrap()
    }

    /// What calibration takes away, where the weights were calibrated.
    pub(crate) fn adjustment(&self, description: &Value) -> Option<Regression> {
        let adjustment = description.get("adjustment")?;
        let names = adjustment["columns"].as_array().unwrap();
        let columns: Vec<&[f64]> = names.iter().map(|name| self.numbers(name)).collect();
        let rows = columns[0].len();
        let values = (0..rows).flat_map(|row| columns.iter().map(move |column| column[row]));
        Some(Regression::new(
            Matrix::new(rows, columns.len(), values.collect()).unwrap(),
            self.numbers(&adjustment["base_weights"]).to_vec(),
            self.numbers(&description["weights"]).to_vec(),
        ))
    }

    fn selection(&self, stage: &Value) -> Selection<'_> {
        let form = match stage["form"].as_str() {
            Some("yg") => PairForm::YatesGrundy,
            _ => PairForm::HorvitzThompson,
        };
        let joint = match stage["kind"].as_str().unwrap() {
            "with_replacement" => return Selection::WithReplacement,
            "population" => {
                return Selection::WithoutReplacement {
                    population: self.numbers(&stage["column"]),
                };
            }
            "brewer" => Joint::Brewer,
            "overton" => Joint::Overton(form),
            "hartley_rao" => Joint::HartleyRao {
                mean_probability: (!stage["mean"].is_null()).then(|| self.numbers(&stage["mean"])),
                form,
            },
            "exact" => Joint::Exact {
                probabilities: &self.numbers["joint"],
                form,
            },
            other => panic!("unknown selection {other}"),
        };
        Selection::UnequalProbabilities {
            inclusion: self.numbers(&stage["column"]),
            joint,
        }
    }
}
