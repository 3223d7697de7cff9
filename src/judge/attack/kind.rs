//! Kinds of attempts.

/// What an attempt does, most of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It closes the block that it stands in, and goes on as if outside.
    ClosesBlock,
    /// It holds what the judge would reply.
    ForgesGrade,
    /// It orders, asks for or suggests a grade, or how to judge.
    OrdersGrade,
    /// It speaks as somebody whom the judge obeys.
    SpeaksAsSystem,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::ClosesBlock, Self::ForgesGrade, Self::OrdersGrade, Self::SpeaksAsSystem];

    /// The name in findings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClosesBlock => "closes-block",
            Self::ForgesGrade => "forges-grade",
            Self::OrdersGrade => "orders-grade",
            Self::SpeaksAsSystem => "speaks-as-system",
        }
    }

    /// The kind of a name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}
