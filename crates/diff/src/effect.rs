//! What a change does, once it is applied.

use crate::change::Change;
use crate::object::Identity;
use crate::shown;

/// A kind of effect; the worst first, which is the order in which they are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// The API server refuses the object: nothing of it changes.
    Refused,
    /// Data is lost.
    DataLoss,
    /// Somebody may do more than before.
    Rights,
    /// Something answers where it did not before.
    Exposure,
    /// Data is read or stored twice.
    DataTwice,
    /// Pods are replaced.
    Restart,
    /// `kubectl apply` leaves the object in the cluster.
    LeftBehind,
    /// Other alerts fire, or others are told.
    Alerting,
    /// The setting does less than it says, or nothing until somebody does more.
    Limited,
    /// The object is new.
    New,
    /// It changes, and no pod is replaced for it.
    InPlace,
    /// Nothing happens.
    Nothing,
}

impl Class {
    /// All of them, in their order.
    pub const ALL: [Self; 12] = [
        Self::Refused,
        Self::DataLoss,
        Self::Rights,
        Self::Exposure,
        Self::DataTwice,
        Self::Restart,
        Self::LeftBehind,
        Self::Alerting,
        Self::Limited,
        Self::New,
        Self::InPlace,
        Self::Nothing,
    ];

    /// Its name on the command line and in JSON.
    pub fn id(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::DataLoss => "data-loss",
            Self::Rights => "rights",
            Self::Exposure => "exposure",
            Self::DataTwice => "data-twice",
            Self::Restart => "restart",
            Self::LeftBehind => "left-behind",
            Self::Alerting => "alerting",
            Self::Limited => "limited",
            Self::New => "new",
            Self::InPlace => "in-place",
            Self::Nothing => "nothing",
        }
    }

    /// Its name in a summary, before the number of objects.
    pub(crate) fn short(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Restart => "restarted",
            Self::LeftBehind => "left behind",
            other => other.heading(),
        }
    }

    /// Its heading in a report.
    pub fn heading(self) -> &'static str {
        match self {
            Self::Refused => "refused by the API server: run the command, then apply again",
            Self::DataLoss => "data lost",
            Self::Rights => "rights widened",
            Self::Exposure => "exposed",
            Self::DataTwice => "data twice",
            Self::Restart => "pods restarted",
            Self::LeftBehind => "left behind: `kubectl apply` deletes nothing",
            Self::Alerting => "alerting changed",
            Self::Limited => "limited effect",
            Self::New => "new",
            Self::InPlace => "changed in place",
            Self::Nothing => "no effect",
        }
    }
}

/// A field as a report shows it: shortened, and without credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Where it stands; empty for the object as a whole.
    pub path: String,
    /// What stood there, if anything.
    pub before: Option<String>,
    /// What stands there now, if anything.
    pub after: Option<String>,
}

/// What one object's change does, in one respect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// In which respect.
    pub class: Class,
    /// The object.
    pub object: Identity,
    /// The fields that do it; none when it is the object as a whole.
    pub fields: Vec<Field>,
    /// What happens.
    pub says: String,
    /// The commands that mend it, or finish it.
    pub commands: Vec<String>,
    /// The keys of the stack that cause it, if somebody tried them: [`crate::Diff::caused`].
    pub causes: Vec<String>,
}

impl Effect {
    /// An effect of an object as a whole.
    pub(crate) fn new(class: Class, object: &Identity, says: impl Into<String>) -> Self {
        Self {
            class,
            object: object.clone(),
            fields: Vec::new(),
            says: says.into(),
            commands: Vec::new(),
            causes: Vec::new(),
        }
    }

    /// The fields that do it.
    #[must_use]
    pub(crate) fn because<'a>(mut self, changes: impl IntoIterator<Item = &'a Change>) -> Self {
        for change in changes {
            self.fields.extend(shown::fields(&self.object, change));
        }
        self
    }

    /// A command that mends it.
    #[must_use]
    pub(crate) fn command(mut self, command: impl Into<String>) -> Self {
        self.commands.push(command.into());
        self
    }
}
