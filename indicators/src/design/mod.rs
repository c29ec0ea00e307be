//! The sampling design of a round: strata, and primary sampling units (PSU, here hamlets) drawn within them.
//!
//! Two stages: in stratum h, n_h of N_h hamlets by simple random sampling without replacement; in hamlet i, m_hi of M_hi
//! households likewise. Those that responded are taken as the sample, so a household weighs N_h/n_h · M_hi/m_hi. Full
//! enumeration is the same with n_h = N_h and m_hi = M_hi.

mod domain;
mod error;
mod sample;
mod tree;

pub use domain::Domain;
pub use error::{DesignError, List, Population, Reference};
pub use sample::Sample;
pub(crate) use sample::SampledPsu;
pub use tree::UnitTree;

/// Largest count of hamlets or households: whole numbers up to here are exact as `f64`.
const LARGEST_COUNT: u64 = 1 << 53;

/// A stratum of the first stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stratum {
    /// N_h, the number of hamlets it has in the frame.
    pub psus: u64,
}

/// A hamlet that was sampled, or may still respond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Psu {
    /// Position of its stratum in the design.
    pub stratum: usize,
    /// M_hi, the number of households it has in the frame.
    pub households: u64,
}

/// Strata and hamlets of a round with their counts in the frame.
///
/// A hamlet is named by its position in the list given to [`Design::new`]. The list may be the whole frame or only the
/// sampled hamlets; hamlets without responses do not count as sampled. With the whole frame listed, the number of hamlets
/// in any domain follows from the list.
#[derive(Debug, Clone, PartialEq)]
pub struct Design {
    strata: Vec<Stratum>,
    psus: Vec<Psu>,
    /// Position of each PSU when sorted by (stratum, position in the list): the order of all sums.
    rank: Vec<usize>,
    lists_whole_frame: bool,
}

impl Design {
    /// Checks and takes a design.
    ///
    /// # Errors
    /// [`DesignError`] if a count is zero or above 2^53, a hamlet names a stratum that does not exist, or more hamlets
    /// are listed in a stratum than the frame has there.
    pub fn new(strata: Vec<Stratum>, psus: Vec<Psu>) -> Result<Self, DesignError> {
        for (stratum, &Stratum { psus }) in strata.iter().enumerate() {
            check_count(psus, Population::PsusOfStratum { stratum })?;
        }
        let mut listed = vec![0_u64; strata.len()];
        for (psu, &Psu { stratum, households }) in psus.iter().enumerate() {
            check_count(households, Population::HouseholdsOfPsu { psu })?;
            match listed.get_mut(stratum) {
                Some(count) => *count += 1,
                None => {
                    return Err(DesignError::UnknownStratum {
                        psu,
                        stratum,
                        strata: strata.len(),
                    });
                }
            }
        }
        for (stratum, (&listed, &Stratum { psus })) in listed.iter().zip(&strata).enumerate() {
            if listed > psus {
                return Err(DesignError::MorePsusThanFrame {
                    stratum,
                    listed,
                    frame: psus,
                });
            }
        }
        let lists_whole_frame = listed
            .iter()
            .zip(&strata)
            .all(|(&listed, stratum)| listed == stratum.psus);
        let mut order: Vec<usize> = (0..psus.len()).collect();
        order.sort_by_key(|&psu| (psus[psu].stratum, psu));
        let mut rank = vec![0; psus.len()];
        for (position, &psu) in order.iter().enumerate() {
            rank[psu] = position;
        }
        Ok(Design {
            strata,
            psus,
            rank,
            lists_whole_frame,
        })
    }

    /// The strata, in the order given.
    pub fn strata(&self) -> &[Stratum] {
        &self.strata
    }

    /// The hamlets, in the order given.
    pub fn psus(&self) -> &[Psu] {
        &self.psus
    }

    /// Corrects how many households a hamlet has in the frame, such as by those that were found in the field.
    ///
    /// # Errors
    /// [`DesignError::UnknownPsu`], or [`DesignError::CountOutOfRange`] when the count is zero or above 2^53; nothing is
    /// changed then.
    pub fn set_households(&mut self, psu: usize, households: u64) -> Result<(), DesignError> {
        check_count(households, Population::HouseholdsOfPsu { psu })?;
        let psus = self.psus.len();
        let hamlet = self.psus.get_mut(psu).ok_or(DesignError::UnknownPsu { psu, psus })?;
        hamlet.households = households;
        Ok(())
    }

    /// Whether every hamlet of the frame is listed, so that the number of hamlets in a domain is known.
    pub fn lists_whole_frame(&self) -> bool {
        self.lists_whole_frame
    }

    /// Where a PSU stands in the fixed order of summation; `None` if it does not exist.
    fn rank(&self, psu: usize) -> Option<usize> {
        self.rank.get(psu).copied()
    }
}

fn check_count(count: u64, of: Population) -> Result<(), DesignError> {
    if (1..=LARGEST_COUNT).contains(&count) {
        Ok(())
    } else {
        Err(DesignError::CountOutOfRange { of, count })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hamlet_needs_its_stratum() {
        let result = Design::new(
            vec![Stratum { psus: 3 }],
            vec![Psu {
                stratum: 1,
                households: 10,
            }],
        );
        assert_eq!(
            result,
            Err(DesignError::UnknownStratum {
                psu: 0,
                stratum: 1,
                strata: 1
            })
        );
    }

    #[test]
    fn counts_are_positive() {
        let empty_stratum = Design::new(vec![Stratum { psus: 0 }], vec![]).unwrap_err();
        assert!(matches!(
            empty_stratum,
            DesignError::CountOutOfRange {
                of: Population::PsusOfStratum { stratum: 0 },
                count: 0
            }
        ));
        let empty_hamlet = Design::new(
            vec![Stratum { psus: 1 }],
            vec![Psu {
                stratum: 0,
                households: 0,
            }],
        )
        .unwrap_err();
        assert!(empty_hamlet.to_string().contains("hamlet 0"));
        assert!(empty_hamlet.vietnamese().contains("ấp 0"));
    }

    #[test]
    fn no_more_hamlets_than_the_frame_has() {
        let hamlet = Psu {
            stratum: 0,
            households: 5,
        };
        let result = Design::new(vec![Stratum { psus: 1 }], vec![hamlet, hamlet]);
        assert_eq!(
            result,
            Err(DesignError::MorePsusThanFrame {
                stratum: 0,
                listed: 2,
                frame: 1
            })
        );
    }

    #[test]
    fn the_whole_frame_is_noticed() {
        let hamlet = Psu {
            stratum: 0,
            households: 5,
        };
        assert!(
            Design::new(vec![Stratum { psus: 2 }], vec![hamlet, hamlet])
                .unwrap()
                .lists_whole_frame()
        );
        assert!(
            !Design::new(vec![Stratum { psus: 3 }], vec![hamlet, hamlet])
                .unwrap()
                .lists_whole_frame()
        );
    }
}
