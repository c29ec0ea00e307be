//! A domain: the hamlets for which an estimate is wanted.

use super::{Design, DesignError};

/// A set of hamlets: a hamlet, a commune, a district, the province, or any other union of hamlets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Domain {
    /// In the design's order of summation, without repetition.
    members: Vec<usize>,
    population_psus: Option<u64>,
}

impl Domain {
    /// The domain of these hamlets (positions in the design; repeated ones count once).
    ///
    /// `population_psus` is the number of hamlets that the domain has in the frame. When as many have responses, nothing
    /// was drawn at the first stage and the estimate has no between-hamlet variance. `None` means not known; it is then
    /// taken from the design if that lists the whole frame.
    ///
    /// # Errors
    /// [`DesignError::UnknownPsu`], or [`DesignError::DomainPopulation`] if the number contradicts the list.
    pub fn new(
        design: &Design,
        members: impl IntoIterator<Item = usize>,
        population_psus: Option<u64>,
    ) -> Result<Self, DesignError> {
        let mut ranked = Vec::new();
        for psu in members {
            match design.rank(psu) {
                Some(rank) => ranked.push((rank, psu)),
                None => {
                    return Err(DesignError::UnknownPsu {
                        psu,
                        psus: design.psus().len(),
                    });
                }
            }
        }
        ranked.sort_unstable();
        ranked.dedup();
        let members: Vec<usize> = ranked.into_iter().map(|(_, psu)| psu).collect();
        let listed = members.len() as u64;
        let population_psus = match population_psus {
            Some(stated) if stated < listed || (design.lists_whole_frame() && stated != listed) => {
                return Err(DesignError::DomainPopulation { listed, stated });
            }
            Some(stated) => Some(stated),
            None => design.lists_whole_frame().then_some(listed),
        };
        Ok(Domain {
            members,
            population_psus,
        })
    }

    /// The domain of the hamlets for which `contains` holds; otherwise as [`Domain::new`].
    ///
    /// # Errors
    /// [`DesignError::DomainPopulation`] if the number contradicts the list.
    pub fn from_predicate(
        design: &Design,
        contains: &dyn Fn(usize) -> bool,
        population_psus: Option<u64>,
    ) -> Result<Self, DesignError> {
        Domain::new(
            design,
            (0..design.psus().len()).filter(|&psu| contains(psu)),
            population_psus,
        )
    }

    /// Everything: all hamlets of all strata.
    pub fn whole(design: &Design) -> Self {
        let mut members: Vec<usize> = (0..design.psus().len()).collect();
        members.sort_by_key(|&psu| design.rank(psu));
        let frame = design
            .strata()
            .iter()
            .map(|stratum| stratum.psus)
            .fold(0, u64::saturating_add);
        Domain {
            members,
            population_psus: Some(frame),
        }
    }

    /// The domain of one hamlet.
    ///
    /// # Errors
    /// [`DesignError::UnknownPsu`].
    pub fn hamlet(design: &Design, psu: usize) -> Result<Self, DesignError> {
        Domain::new(design, [psu], Some(1))
    }

    /// Positions of the listed hamlets, in the design's order of summation.
    pub fn members(&self) -> &[usize] {
        &self.members
    }

    /// Number of hamlets in the frame, if known.
    pub fn population_psus(&self) -> Option<u64> {
        self.population_psus
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Psu, Stratum};
    use super::*;

    fn design(frame: u64) -> Design {
        let psus = vec![
            Psu {
                stratum: 1,
                households: 4,
            },
            Psu {
                stratum: 0,
                households: 5,
            },
        ];
        Design::new(vec![Stratum { psus: 1 }, Stratum { psus: frame }], psus).unwrap()
    }

    #[test]
    fn members_come_by_stratum_and_once() {
        let domain = Domain::new(&design(3), [0, 1, 0], None).unwrap();
        assert_eq!(domain.members(), [1, 0]);
        assert_eq!(domain.population_psus(), None);
        assert_eq!(Domain::from_predicate(&design(3), &|_| true, None).unwrap(), domain);
    }

    #[test]
    fn a_listed_frame_gives_the_population() {
        assert_eq!(Domain::new(&design(1), [0], None).unwrap().population_psus(), Some(1));
        assert_eq!(Domain::whole(&design(3)).population_psus(), Some(4));
        let contradiction = DesignError::DomainPopulation { listed: 1, stated: 2 };
        assert_eq!(Domain::new(&design(1), [0], Some(2)), Err(contradiction));
        assert_eq!(
            Domain::new(&design(3), [5], None),
            Err(DesignError::UnknownPsu { psu: 5, psus: 2 })
        );
    }
}
