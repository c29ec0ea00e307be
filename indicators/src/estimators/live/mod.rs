//! Estimates that follow every response in constant time.
//!
//! For each domain and stratum there are sums of constant size. A changed household changes the terms of its hamlet in the
//! sums of the domains above it, and an estimate is made from a domain's sums, without a look at its hamlets. What is
//! estimated is what [`super::ratio`] estimates, with the same variance.

mod double_double;
mod sums;

use super::estimate::Estimate;
use super::evaluation::{DomainCounts, DomainSums, Totals, estimate, two_sided_t};
use super::ratio::{EstimationError, Indicator, Settings};
use super::sampled::first_stage_of;
use crate::design::{Design, DesignError, Domain, Sample};
use crate::summary::{Contribution, PsuSummary, SummaryError};
use crate::variance::LonelyPsu;
use crate::variance::linearization::{FirstStage, LonelyUnit};
use sums::{Terms, Weighted};

/// Why a response cannot be counted, or estimates cannot be kept.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LiveError {
    /// The household's contributions do not fit what is counted.
    #[error(transparent)]
    Summary(#[from] SummaryError),
    /// The response does not fit the design.
    #[error(transparent)]
    Design(#[from] DesignError),
}

impl LiveError {
    /// The same message in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match self {
            LiveError::Summary(error) => error.vietnamese(),
            LiveError::Design(error) => error.vietnamese(),
        }
    }
}

/// What is counted of the hamlets of one stratum that lie in one domain.
#[derive(Debug, Clone, Default)]
struct Part {
    domain: usize,
    stratum: usize,
    psus: u64,
    /// By indicator.
    terms: Vec<Terms>,
    /// What the domain's sums have of this part, by indicator; empty where the domain has no other part.
    weighted: Vec<Weighted>,
}

/// What is counted of one domain, over all its parts.
#[derive(Debug, Clone)]
struct Unit {
    domain: Domain,
    /// Positions of its parts, one for each stratum in which it lists hamlets.
    parts: Vec<usize>,
    psus: u64,
    /// Strata with sampled hamlets.
    strata: u64,
    households: u64,
    incomplete_psus: u64,
    /// Hamlets of which one household of several has responded.
    lonely_psus: u64,
    /// Strata of its parts in which no hamlet at all has responses.
    unrepresented_strata: u64,
    /// By indicator; empty where there is one part, which then has all.
    sums: Vec<UnitSums>,
    /// Degrees of freedom, and Student's quantile for them: it takes longer than all the rest of an estimate.
    degrees_of_freedom: u64,
    student_t: Option<f64>,
}

/// Sums over several parts.
#[derive(Debug, Clone, Copy, Default)]
struct UnitSums {
    terms: Terms,
    weighted: Weighted,
}

/// A design with its responses and the sums that estimates of its domains need.
///
/// Takes 272 bytes for each indicator of a domain that lies in one stratum; 464 where it has several, and as much again for
/// each of them.
#[derive(Debug, Clone)]
pub struct LiveEstimates {
    design: Design,
    summaries: Vec<PsuSummary>,
    indicators: usize,
    settings: Settings,
    /// n_h of each stratum.
    sampled_psus: Vec<u64>,
    units: Vec<Unit>,
    parts: Vec<Part>,
    parts_of_psu: Vec<Vec<usize>>,
    parts_of_stratum: Vec<Vec<usize>>,
}

impl LiveEstimates {
    /// Takes a design, domains made for it, and what has been counted so far: one summary per hamlet, in the design's
    /// order. Costs a pass over the hamlets of each domain.
    ///
    /// # Errors
    /// As [`Sample::new`], and [`DesignError::UnknownPsu`] for a domain of another design.
    pub fn new(
        design: Design,
        domains: Vec<Domain>,
        summaries: Vec<PsuSummary>,
        settings: Settings,
    ) -> Result<Self, DesignError> {
        let sample = Sample::new(&design, &summaries)?;
        let (indicators, sampled_psus) = (sample.indicators(), sample.sampled_psus().to_vec());
        let strata = design.strata().len();
        let psus = design.psus().len();
        let mut live = LiveEstimates {
            indicators,
            settings,
            sampled_psus,
            units: Vec::with_capacity(domains.len()),
            parts: Vec::new(),
            parts_of_psu: vec![Vec::new(); psus],
            parts_of_stratum: vec![Vec::new(); strata],
            design,
            summaries,
        };
        for domain in domains {
            live.add_domain(domain)?;
        }
        Ok(live)
    }

    /// The design.
    pub fn design(&self) -> &Design {
        &self.design
    }

    /// The domains, in the order given.
    pub fn domains(&self) -> impl ExactSizeIterator<Item = &Domain> {
        self.units.iter().map(|unit| &unit.domain)
    }

    /// The domain with this position.
    pub fn domain(&self, position: usize) -> Option<&Domain> {
        self.units.get(position).map(|unit| &unit.domain)
    }

    /// The sums of each hamlet, in the design's order.
    pub fn summaries(&self) -> &[PsuSummary] {
        &self.summaries
    }

    fn add_domain(&mut self, domain: Domain) -> Result<(), DesignError> {
        let number = self.units.len();
        let mut unit = Unit {
            parts: Vec::new(),
            psus: 0,
            strata: 0,
            households: 0,
            incomplete_psus: 0,
            lonely_psus: 0,
            unrepresented_strata: 0,
            sums: Vec::new(),
            degrees_of_freedom: 0,
            student_t: None,
            domain,
        };
        let mut last = None;
        for &psu in unit.domain.members() {
            let Some(&hamlet) = self.design.psus().get(psu) else {
                return Err(DesignError::UnknownPsu {
                    psu,
                    psus: self.design.psus().len(),
                });
            };
            // Members are sorted by stratum.
            if last != Some(hamlet.stratum) {
                last = Some(hamlet.stratum);
                let part = self.parts.len();
                unit.parts.push(part);
                unit.unrepresented_strata += u64::from(self.sampled_psus[hamlet.stratum] == 0);
                self.parts_of_stratum[hamlet.stratum].push(part);
                self.parts.push(Part {
                    domain: number,
                    stratum: hamlet.stratum,
                    terms: vec![Terms::default(); self.indicators],
                    ..Part::default()
                });
            }
            self.parts_of_psu[psu].push(self.parts.len() - 1);
        }
        if unit.parts.len() > 1 {
            unit.sums = vec![UnitSums::default(); self.indicators];
            for &part in &unit.parts {
                self.parts[part].weighted = vec![Weighted::default(); self.indicators];
            }
        }
        let (members, parts) = (unit.domain.members().to_vec(), unit.parts.clone());
        self.units.push(unit);
        for psu in members {
            let Some(&part) = self.parts_of_psu[psu].last() else {
                continue;
            };
            for indicator in 0..self.indicators {
                let terms = self.terms(psu, indicator);
                self.add_terms(part, indicator, &terms);
            }
            self.count(part, self.responding(psu), 0, self.design.psus()[psu].households);
        }
        for part in parts {
            self.weigh(part);
        }
        self.find_student_t(number);
        Ok(())
    }

    fn responding(&self, psu: usize) -> u64 {
        self.summaries[psu].households()
    }

    fn terms(&self, psu: usize, indicator: usize) -> Terms {
        let (summary, frame) = (&self.summaries[psu], self.design.psus()[psu].households);
        Terms::of(
            &summary.indicators()[indicator],
            summary.households(),
            frame,
            self.settings.lonely_psu,
        )
    }

    fn add_terms(&mut self, part: usize, indicator: usize, change: &Terms) {
        let part = &mut self.parts[part];
        part.terms[indicator].add(change);
        if let Some(sums) = self.units[part.domain].sums.get_mut(indicator) {
            sums.terms.add(change);
        }
    }

    /// Counts that a hamlet of a part has so many responding households now and had so many before.
    fn count(&mut self, part: usize, now: u64, before: u64, frame: u64) {
        let part = &mut self.parts[part];
        let unit = &mut self.units[part.domain];
        let (was, is) = (u64::from(before > 0), u64::from(now > 0));
        unit.strata -= u64::from(part.psus > 0);
        part.psus = part.psus + is - was;
        unit.strata += u64::from(part.psus > 0);
        unit.psus = unit.psus + is - was;
        unit.households = unit.households + now - before;
        let is_incomplete = |responding: u64| u64::from(responding > 0 && responding < frame);
        unit.incomplete_psus = unit.incomplete_psus + is_incomplete(now) - is_incomplete(before);
        let is_lonely = |responding: u64| u64::from(responding == 1 && frame > 1);
        unit.lonely_psus = unit.lonely_psus + is_lonely(now) - is_lonely(before);
    }

    fn find_student_t(&mut self, domain: usize) {
        let degrees_of_freedom = self.counts(&self.units[domain]).degrees_of_freedom();
        let unit = &mut self.units[domain];
        if unit.degrees_of_freedom != degrees_of_freedom {
            unit.degrees_of_freedom = degrees_of_freedom;
            unit.student_t = two_sided_t(&self.settings, degrees_of_freedom);
        }
    }

    fn counts(&self, unit: &Unit) -> DomainCounts {
        DomainCounts {
            first_stage: first_stage_of(&unit.domain, unit.psus),
            psus: unit.psus,
            strata: unit.strata,
            households: unit.households,
            incomplete_psus: unit.incomplete_psus,
            unrepresented_strata: unit.unrepresented_strata,
        }
    }

    /// Replaces what a domain of several parts has of one part.
    fn weigh(&mut self, part: usize) {
        let part = &mut self.parts[part];
        let sums = &mut self.units[part.domain].sums;
        let (sampled, frame) = (self.sampled_psus[part.stratum], self.design.strata()[part.stratum].psus);
        for ((sums, terms), weighted) in sums.iter_mut().zip(&part.terms).zip(&mut part.weighted) {
            let now = terms.sampled(sampled, frame, self.settings.lonely_psu);
            sums.weighted.add(&now.minus(weighted));
            *weighted = now;
        }
    }

    /// Replaces the contributions of a household of a hamlet, as [`PsuSummary::apply`], and updates the sums of all
    /// domains that have the hamlet.
    ///
    /// Costs the same for each indicator and domain, however many hamlets there are. The first response of a hamlet also
    /// changes the weights of its stratum, and so every domain of several strata that has a part of it.
    ///
    /// # Errors
    /// [`LiveError::Summary`] as [`PsuSummary::apply`]; [`DesignError::UnknownPsu`], or
    /// [`DesignError::MoreHouseholdsThanFrame`] if more would have responded than the hamlet has. Nothing is changed then.
    pub fn apply(
        &mut self,
        psu: usize,
        old: Option<&[Contribution]>,
        new: Option<&[Contribution]>,
    ) -> Result<(), LiveError> {
        let psus = self.design.psus().len();
        let Some(&hamlet) = self.design.psus().get(psu) else {
            return Err(DesignError::UnknownPsu { psu, psus }.into());
        };
        let before = self.responding(psu);
        if old.is_none() && new.is_some() && before >= hamlet.households {
            return Err(DesignError::MoreHouseholdsThanFrame {
                psu,
                responding: before + 1,
                frame: hamlet.households,
            }
            .into());
        }
        let lonely = self.settings.lonely_psu;
        let earlier: Vec<Terms> = (0..self.indicators)
            .map(|indicator| self.terms(psu, indicator))
            .collect();
        self.summaries[psu].apply(old, new)?;
        let now = self.responding(psu);
        let parts = std::mem::take(&mut self.parts_of_psu[psu]);
        for (indicator, earlier) in earlier.iter().enumerate() {
            let sums = &self.summaries[psu].indicators()[indicator];
            let change = Terms::of(sums, now, hamlet.households, lonely).minus(earlier);
            for &part in &parts {
                self.add_terms(part, indicator, &change);
            }
        }
        for &part in &parts {
            self.count(part, now, before, hamlet.households);
            self.find_student_t(self.parts[part].domain);
        }
        let sampled = &mut self.sampled_psus[hamlet.stratum];
        let was_empty = u64::from(*sampled == 0);
        *sampled = *sampled + u64::from(now > 0) - u64::from(before > 0);
        let is_empty = u64::from(*sampled == 0);
        if (now > 0) == (before > 0) {
            parts.iter().for_each(|&part| self.weigh(part));
        } else {
            let of_stratum = std::mem::take(&mut self.parts_of_stratum[hamlet.stratum]);
            for &part in &of_stratum {
                self.weigh(part);
                let unit = &mut self.units[self.parts[part].domain];
                unit.unrepresented_strata = unit.unrepresented_strata + is_empty - was_empty;
            }
            self.parts_of_stratum[hamlet.stratum] = of_stratum;
        }
        self.parts_of_psu[psu] = parts;
        Ok(())
    }

    /// Corrects how many households a hamlet has in the frame, and updates the sums of all domains that have the hamlet. Costs
    /// what [`apply`](Self::apply) does.
    ///
    /// # Errors
    /// As [`Design::set_households`], and [`DesignError::MoreHouseholdsThanFrame`] if more have responded than the hamlet
    /// would have. Nothing is changed then.
    pub fn set_households(&mut self, psu: usize, households: u64) -> Result<(), DesignError> {
        let psus = self.design.psus().len();
        let Some(&hamlet) = self.design.psus().get(psu) else {
            return Err(DesignError::UnknownPsu { psu, psus });
        };
        let responding = self.responding(psu);
        if responding > households {
            return Err(DesignError::MoreHouseholdsThanFrame {
                psu,
                responding,
                frame: households,
            });
        }
        let earlier: Vec<Terms> = (0..self.indicators)
            .map(|indicator| self.terms(psu, indicator))
            .collect();
        self.design.set_households(psu, households)?;
        let parts = std::mem::take(&mut self.parts_of_psu[psu]);
        for (indicator, earlier) in earlier.iter().enumerate() {
            let change = self.terms(psu, indicator).minus(earlier);
            for &part in &parts {
                self.add_terms(part, indicator, &change);
            }
        }
        for &part in &parts {
            // Whether a hamlet counts as incomplete depends on its size, so it is taken out as it was and put in as it is.
            self.count(part, 0, responding, hamlet.households);
            self.count(part, responding, 0, households);
            self.find_student_t(self.parts[part].domain);
            self.weigh(part);
        }
        self.parts_of_psu[psu] = parts;
        Ok(())
    }

    /// The estimate of one indicator for one domain, by its position; `None` if there is no such domain. As
    /// [`super::ratio`], but for rounding.
    ///
    /// # Errors
    /// [`EstimationError::UnknownIndicator`].
    pub fn estimate(&self, domain: usize, indicator: Indicator) -> Result<Option<Estimate>, EstimationError> {
        if indicator.index >= self.indicators {
            return Err(EstimationError::UnknownIndicator {
                indicator: indicator.index,
                indicators: self.indicators,
            });
        }
        Ok(self.units.get(domain).map(|unit| {
            let sums = self.sums(unit, indicator.index);
            estimate(&sums, indicator.measure, &self.settings, |_| unit.student_t)
        }))
    }

    fn sums(&self, unit: &Unit, indicator: usize) -> LiveSums {
        let counts = self.counts(unit);
        let lonely = self.settings.lonely_psu;
        let sizes = |part: &Part| (self.sampled_psus[part.stratum], self.design.strata()[part.stratum].psus);
        let mut parts = unit.parts.iter().map(|&part| &self.parts[part]);
        let (terms, several) = match (unit.sums.get(indicator), &unit.parts[..]) {
            (Some(sums), _) => (sums.terms, Some(sums.weighted)),
            (None, &[part]) => (self.parts[part].terms[indicator], None),
            _ => Default::default(),
        };
        let weighted = match (counts.first_stage, several, &unit.parts[..]) {
            // What is left of hamlets that were taken out is rounding.
            _ if counts.psus == 0 => Weighted::default(),
            (FirstStage::Enumerated, ..) => terms.enumerated(),
            (FirstStage::Sampled, Some(weighted), _) => terms.clear(weighted),
            (FirstStage::Sampled, None, &[part]) => {
                let (sampled, frame) = sizes(&self.parts[part]);
                terms.sampled(sampled, frame, lonely)
            }
            _ => Weighted::default(),
        };
        let is_lonely = |part: &Part| {
            let (sampled, frame) = sizes(part);
            part.psus > 0 && sampled == 1 && frame > 1
        };
        // Parts are passed over only where the policy asks for it.
        let fails = lonely == LonelyPsu::Fail
            && (unit.lonely_psus > 0 || counts.first_stage == FirstStage::Sampled && parts.any(is_lonely));
        LiveSums {
            counts,
            terms,
            weighted,
            fails,
        }
    }
}

/// The sums of one indicator of one domain.
struct LiveSums {
    counts: DomainCounts,
    terms: Terms,
    weighted: Weighted,
    fails: bool,
}

impl DomainSums for LiveSums {
    fn counts(&self) -> DomainCounts {
        self.counts
    }

    fn totals(&self) -> Totals {
        let denominator = self.weighted.denominator.value();
        let mut numerator = self.weighted.numerator.value();
        // Where everybody has the attribute, rounding must not take the ratio above 1.
        let is_near = (numerator - denominator).abs() <= 4.0 * f64::EPSILON * denominator;
        if is_near && self.weighted.residual_squares(1.0) == 0.0 {
            numerator = denominator;
        }
        Totals {
            households_with_denominator: self.terms.households_with_denominator.unsigned_abs(),
            numerator_observed: self.terms.numerator_observed.value(),
            denominator_observed: self.terms.denominator_observed.value(),
            numerator,
            denominator,
            households: self.weighted.households.value(),
            weights: self.weighted.weights.value(),
            squared_weights: self.weighted.squared_weights.value(),
        }
    }

    fn residual_variance(&self, ratio: f64) -> Result<f64, LonelyUnit> {
        if self.fails {
            Err(LonelyUnit)
        } else {
            Ok(self.weighted.residual_variance(ratio))
        }
    }

    fn residual_squares(&self, ratio: f64) -> f64 {
        self.weighted.residual_squares(ratio)
    }
}
