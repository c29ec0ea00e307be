//! What can be wrong with a design, a domain or a tree of units.

/// Which count of the frame is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Population {
    /// N_h of a stratum.
    PsusOfStratum {
        /// Position of the stratum.
        stratum: usize,
    },
    /// M_hi of a hamlet.
    HouseholdsOfPsu {
        /// Position of the hamlet.
        psu: usize,
    },
}

/// Why a design, domain, tree or sample cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DesignError {
    /// A count of the frame is zero or too large.
    #[error("{}; it must be from 1 to 2^53", count_english(*.of, *.count))]
    CountOutOfRange {
        /// Which count.
        of: Population,
        /// Its value.
        count: u64,
    },
    /// A hamlet names a stratum that the design does not have.
    #[error("hamlet {psu} is in stratum {stratum}; the design has {strata} strata, numbered from 0")]
    UnknownStratum {
        /// Position of the hamlet.
        psu: usize,
        /// The stratum it names.
        stratum: usize,
        /// Number of strata.
        strata: usize,
    },
    /// A stratum lists more hamlets than it has in the frame.
    #[error("stratum {stratum} lists {listed} hamlets; the frame has {frame} there, and no more can be listed")]
    MorePsusThanFrame {
        /// Position of the stratum.
        stratum: usize,
        /// Hamlets listed.
        listed: u64,
        /// N_h.
        frame: u64,
    },
    /// A position names no hamlet of the design.
    #[error("hamlet {psu} does not exist; the design has {psus} hamlets, numbered from 0")]
    UnknownPsu {
        /// The position given.
        psu: usize,
        /// Number of hamlets.
        psus: usize,
    },
    /// The stated number of hamlets of a domain contradicts the hamlets listed in it.
    #[error(
        "the domain is said to have {stated} hamlets but {listed} are listed in it; \
         the number must be at least that, and just that when the whole frame is listed"
    )]
    DomainPopulation {
        /// Hamlets of the domain that the design lists.
        listed: u64,
        /// Number stated.
        stated: u64,
    },
    /// A list has not one entry per hamlet, or per node.
    #[error("there are {given} {list}; there must be {expected}")]
    Length {
        /// What is listed.
        list: List,
        /// Entries given.
        given: usize,
        /// Entries needed.
        expected: usize,
    },
    /// A summary has another number of indicators than the first one.
    #[error("the summary of hamlet {psu} has {given} indicators; the first has {expected}, and all must have as many")]
    IndicatorCount {
        /// Position of the hamlet.
        psu: usize,
        /// Its indicators.
        given: usize,
        /// Indicators of the first summary.
        expected: usize,
    },
    /// More households responded than the hamlet has.
    #[error("hamlet {psu} has {responding} responding households of {frame} in the frame; correct the frame's count")]
    MoreHouseholdsThanFrame {
        /// Position of the hamlet.
        psu: usize,
        /// m_hi.
        responding: u64,
        /// M_hi.
        frame: u64,
    },
    /// A node names a parent, or a hamlet a node, that does not exist.
    #[error("{} names node {node}; the tree has {nodes} nodes, numbered from 0", reference_english(*.from))]
    UnknownNode {
        /// Who names it.
        from: Reference,
        /// The node named.
        node: usize,
        /// Number of nodes.
        nodes: usize,
    },
    /// A node is its own ancestor.
    #[error("node {node} is its own ancestor; follow its parents to find the loop")]
    Cycle {
        /// A node on the loop, or below it.
        node: usize,
    },
}

/// A list whose length matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// Summaries, one per hamlet.
    Summaries,
    /// Nodes of hamlets, one per hamlet.
    PsuNodes,
    /// Numbers of hamlets, one per node.
    PopulationPsus,
    /// Measures, one per indicator.
    Measures,
}

/// Who names a node of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reference {
    /// A node, as its parent.
    Node(usize),
    /// A hamlet, as its own node.
    Psu(usize),
}

impl std::fmt::Display for List {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            List::Summaries => "summaries (one per hamlet)",
            List::PsuNodes => "nodes of hamlets (one per hamlet)",
            List::PopulationPsus => "numbers of hamlets (one per node)",
            List::Measures => "measures (one per indicator)",
        })
    }
}

impl List {
    pub(crate) fn vietnamese(self) -> &'static str {
        match self {
            List::Summaries => "bảng tổng hợp (mỗi ấp một bảng)",
            List::PsuNodes => "nút của ấp (mỗi ấp một nút)",
            List::PopulationPsus => "số ấp (mỗi nút một số)",
            List::Measures => "loại thước đo (mỗi chỉ tiêu một loại)",
        }
    }
}

fn count_english(of: Population, count: u64) -> String {
    match of {
        Population::PsusOfStratum { stratum } => format!("stratum {stratum} has {count} hamlets in the frame"),
        Population::HouseholdsOfPsu { psu } => format!("hamlet {psu} has {count} households in the frame"),
    }
}

fn reference_english(from: Reference) -> String {
    match from {
        Reference::Node(node) => format!("node {node}"),
        Reference::Psu(psu) => format!("hamlet {psu}"),
    }
}

impl DesignError {
    /// The same message in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match *self {
            DesignError::CountOutOfRange { of, count } => {
                let what = match of {
                    Population::PsusOfStratum { stratum } => format!("tầng {stratum} có {count} ấp"),
                    Population::HouseholdsOfPsu { psu } => format!("ấp {psu} có {count} hộ"),
                };
                format!("{what} trong dàn mẫu; phải từ 1 đến 2^53")
            }
            DesignError::UnknownStratum { psu, stratum, strata } => {
                format!("ấp {psu} thuộc tầng {stratum}; thiết kế có {strata} tầng, đánh số từ 0")
            }
            DesignError::MorePsusThanFrame { stratum, listed, frame } => {
                format!("tầng {stratum} liệt kê {listed} ấp; dàn mẫu chỉ có {frame} ấp, không thể liệt kê nhiều hơn")
            }
            DesignError::UnknownPsu { psu, psus } => {
                format!("không có ấp {psu}; thiết kế có {psus} ấp, đánh số từ 0")
            }
            DesignError::DomainPopulation { listed, stated } => format!(
                "miền được khai có {stated} ấp nhưng liệt kê {listed} ấp; số khai phải không nhỏ hơn, \
                 và bằng đúng số đó khi đã liệt kê toàn bộ dàn mẫu"
            ),
            DesignError::Length { list, given, expected } => {
                format!("có {given} {}; phải có {expected}", list.vietnamese())
            }
            DesignError::IndicatorCount { psu, given, expected } => {
                format!(
                    "bảng tổng hợp của ấp {psu} có {given} chỉ tiêu; bảng đầu có {expected}, mọi bảng phải như nhau"
                )
            }
            DesignError::MoreHouseholdsThanFrame { psu, responding, frame } => format!(
                "ấp {psu} có {responding} hộ trả lời nhưng dàn mẫu chỉ có {frame} hộ; hãy sửa số hộ trong dàn mẫu"
            ),
            DesignError::UnknownNode { from, node, nodes } => {
                let who = match from {
                    Reference::Node(node) => format!("nút {node}"),
                    Reference::Psu(psu) => format!("ấp {psu}"),
                };
                format!("{who} chỉ đến nút {node}; cây có {nodes} nút, đánh số từ 0")
            }
            DesignError::Cycle { node } => {
                format!("nút {node} là tổ tiên của chính nó; hãy lần theo các nút cha để tìm vòng lặp")
            }
        }
    }
}
