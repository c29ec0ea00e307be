//! The tree of admin units, each of which is a domain.

use super::{Design, DesignError, Domain, List, Reference};

/// A tree of admin units with the hamlets of the design at its leaves: any number of levels.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitTree {
    domains: Vec<Domain>,
}

impl UnitTree {
    /// A tree from each node's parent (`None` for a root; several roots are allowed) and each hamlet's own node. A hamlet
    /// belongs to its node and to all of that node's ancestors.
    ///
    /// `population_psus` gives the number of hamlets of each node in the frame (`None` within it where not known). Leave
    /// it out where the design lists the whole frame.
    ///
    /// # Errors
    /// [`DesignError`] if lengths do not fit, a node does not exist, the parents form a loop, or a stated number of
    /// hamlets is smaller than the number listed.
    pub fn new(
        design: &Design,
        parents: &[Option<usize>],
        psu_nodes: &[usize],
        population_psus: Option<&[Option<u64>]>,
    ) -> Result<Self, DesignError> {
        let nodes = parents.len();
        check_length(List::PsuNodes, psu_nodes.len(), design.psus().len())?;
        if let Some(numbers) = population_psus {
            check_length(List::PopulationPsus, numbers.len(), nodes)?;
        }
        check_parents(parents)?;
        let mut members = vec![Vec::new(); nodes];
        for (psu, &node) in psu_nodes.iter().enumerate() {
            if node >= nodes {
                return Err(DesignError::UnknownNode {
                    from: Reference::Psu(psu),
                    node,
                    nodes,
                });
            }
            let mut next = Some(node);
            while let Some(node) = next {
                members[node].push(psu);
                next = parents[node];
            }
        }
        let domains = members
            .into_iter()
            .enumerate()
            .map(|(node, members)| Domain::new(design, members, population_psus.and_then(|numbers| numbers[node])))
            .collect::<Result<_, _>>()?;
        Ok(UnitTree { domains })
    }

    /// The domain of each node.
    pub fn domains(&self) -> &[Domain] {
        &self.domains
    }
}

fn check_length(list: List, given: usize, expected: usize) -> Result<(), DesignError> {
    if given == expected {
        Ok(())
    } else {
        Err(DesignError::Length { list, given, expected })
    }
}

/// Checks that every parent exists and that following parents from any node ends at a root.
fn check_parents(parents: &[Option<usize>]) -> Result<(), DesignError> {
    let nodes = parents.len();
    for (node, parent) in parents.iter().enumerate() {
        if let Some(parent) = *parent
            && parent >= nodes
        {
            return Err(DesignError::UnknownNode {
                from: Reference::Node(node),
                node: parent,
                nodes,
            });
        }
    }
    // Each walk stops at a node that an earlier walk has cleared, so that all walks together visit a node twice at most.
    let mut walk_of = vec![usize::MAX; nodes];
    for start in 0..nodes {
        let mut next = Some(start);
        while let Some(node) = next {
            if walk_of[node] == start {
                return Err(DesignError::Cycle { node });
            }
            if walk_of[node] != usize::MAX {
                break;
            }
            walk_of[node] = start;
            next = parents[node];
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{Psu, Stratum};
    use super::*;

    fn design() -> Design {
        let psus = (0..3)
            .map(|psu| Psu {
                stratum: psu % 2,
                households: 9,
            })
            .collect();
        Design::new(vec![Stratum { psus: 5 }, Stratum { psus: 1 }], psus).unwrap()
    }

    #[test]
    fn a_hamlet_belongs_to_all_its_ancestors() {
        // Node 2 is the province, 0 and 1 its communes; hamlets hang at communes or at the province itself.
        let numbers = [Some(4), None, Some(6)];
        let tree = UnitTree::new(&design(), &[Some(2), Some(2), None], &[0, 1, 0], Some(&numbers)).unwrap();
        assert_eq!(tree.domains()[0].members(), [0, 2]);
        assert_eq!(tree.domains()[1].members(), [1]);
        assert_eq!(tree.domains()[2].members(), [0, 2, 1]);
        assert_eq!(tree.domains()[0].population_psus(), Some(4));
        assert_eq!(tree.domains()[1].population_psus(), None);
    }

    #[test]
    fn a_broken_tree_is_refused() {
        let parents = [Some(1), Some(0), None];
        assert!(matches!(
            UnitTree::new(&design(), &parents, &[2, 2, 2], None),
            Err(DesignError::Cycle { .. })
        ));
        assert_eq!(
            UnitTree::new(&design(), &[Some(7)], &[0, 0, 0], None),
            Err(DesignError::UnknownNode {
                from: Reference::Node(0),
                node: 7,
                nodes: 1
            })
        );
        assert_eq!(
            UnitTree::new(&design(), &[None], &[0, 1, 0], None),
            Err(DesignError::UnknownNode {
                from: Reference::Psu(1),
                node: 1,
                nodes: 1
            })
        );
        assert_eq!(
            UnitTree::new(&design(), &[None], &[0, 0], None),
            Err(DesignError::Length {
                list: List::PsuNodes,
                given: 2,
                expected: 3
            })
        );
    }
}
