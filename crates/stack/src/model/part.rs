//! What any part of the stack can be asked, so that whatever concerns all of them is a fold over [`Stack::parts`].

use super::{AccessKeys, Annotations, HasPods, IngressTls, Labels, Namespaces, Persistence, Service, Stack};
use crate::beside::Beside;
use crate::findings::Findings;
use crate::origin::Origin;
use crate::units::{DnsLabel, DnsSubdomain};

/// The settings of one part: what stands below its key in `stack.yaml`. What a part does not have, it does not answer.
pub trait Part {
    /// Whether it is switched on.
    fn enabled(&self) -> bool;

    /// Whether a stack has it: it is switched on, and so is all that it is nothing without.
    fn is_in(&self, _stack: &Stack) -> bool {
        self.enabled()
    }

    /// Labels and annotations for its objects.
    fn metadata(&self) -> Option<(&Labels, &Annotations)> {
        None
    }

    /// The namespace of its objects that people may know, where one of theirs or of the stack's own holds them.
    fn namespace<'a>(&'a self, _own: &'a Namespaces) -> Option<&'a DnsLabel> {
        None
    }

    /// Namespaces that it names and that exist without the stack.
    fn foreign_namespaces(&self) -> Vec<&DnsLabel> {
        Vec::new()
    }

    /// The settings of its pods.
    fn pods(&self) -> Option<&dyn HasPods> {
        None
    }

    /// Whether the operator makes its pods, of a custom resource.
    fn is_operated(&self) -> bool {
        false
    }

    /// Its Service that people may reach from outside, with everything filled in.
    fn service(&self) -> Option<Service> {
        None
    }

    /// Its Ingress.
    fn ingress(&self) -> Option<Entrance<'_>> {
        None
    }

    /// Its volumes, each by what is said of it.
    fn volumes(&self) -> Vec<&Persistence> {
        Vec::new()
    }

    /// Secrets in its namespace that a person creates.
    fn secrets(&self) -> Vec<&DnsSubdomain> {
        Vec::new()
    }

    /// Whether it keeps data in the stack's object storage.
    fn uses_object_storage(&self) -> bool {
        false
    }

    /// The keys of the object storage that it is, for the whole stack.
    fn object_storage(&self) -> Option<&AccessKeys> {
        None
    }

    /// Files beside the stack that it names.
    fn files(&self) -> Vec<Beside<'_>> {
        Vec::new()
    }

    /// Takes the text of one of its files, by the number of the item that names it; why it cannot be used.
    fn take_file(&mut self, _at: usize, _text: String) -> Result<(), String> {
        Ok(())
    }

    /// Keeps where it stands in the text, if those who render it say so of what it names.
    fn stands_at(&mut self, _origin: Origin) {}

    /// What no single value of it can tell: combinations that cannot work, and warnings.
    fn check(&self, _stack: &Stack, _findings: &mut Findings) {}
}

/// An Ingress as far as all parts have it in common.
#[derive(Clone, Copy, Debug)]
pub struct Entrance<'a> {
    /// Whether the stack makes it.
    pub enabled: bool,
    /// Its IngressClass, which the cluster provides, unless it is a route of the Gateway API.
    pub class_name: Option<&'a DnsSubdomain>,
    /// Its TLS.
    pub tls: Option<&'a IngressTls>,
    /// The Secret with the names and passwords that it asks for.
    pub login: Option<&'a DnsSubdomain>,
}

/// Declares that settings are a [`Part`], with an `enabled` and what else is named:
///
/// - `pods("10m", "64Mi", "256Mi")`, which comes first: they are [`HasPods`], whose main container usually requests that
///   much CPU and memory and has that memory limit; a fourth argument names the method that tells the other containers;
/// - `only_with(x)`: they are nothing without the part `x`;
/// - `unless(x)`: where `x` is set, somebody else provides it, and no stack has it;
/// - `metadata`: they have `labels` and `annotations`;
/// - `operated`: the operator makes its pods;
/// - `service`: they have an `effective_service()`;
/// - `ingress`: they have an `ingress`;
/// - `volume`: they have a `persistence`; `volumes`: they have several, as an inherent `volumes()` says;
/// - `secrets`: they have an inherent `secrets()`, each Secret once for each use;
/// - `objects`: they may keep data in object storage, as an inherent `uses_object_storage()` says;
/// - `provides_objects`: they are the object storage of the stack, as an inherent `object_storage()` says;
/// - `foreign`: they name namespaces that exist without the stack, as an inherent `foreign_namespaces()` says;
/// - `files`: they name files, by an inherent `files()` and `take_file()`;
/// - `origin`: they have an `origin`, their place in the text;
/// - `namespace(monitoring)`, `namespace(logging)`: their objects are in that namespace of the stack;
/// - `namespace(own)`: they have a `namespace`, which exists without the stack;
/// - `rules(x)`: `rules::x::check` says what cannot work.
macro_rules! part {
    ($settings:ident: pods($cpu:literal, $memory:literal, $limit:literal $(, $others:ident)?) $(, $($has:tt)+)?) => {
        impl crate::model::HasPods for $settings {
            fn pods(&self) -> &crate::model::Pods {
                &self.pods
            }
            fn usual_resources(&self) -> crate::model::Resources {
                crate::model::Resources::known($cpu, $memory, $limit)
            }
            $(fn other_containers(&self) -> Vec<crate::model::OtherContainer> {
                self.$others()
            })?
        }
        part!($settings: runs $(, $($has)+)?);
    };
    ($settings:ident: $($has:ident $(($what:ident))?),+ $(,)?) => {
        impl crate::model::Part for $settings {
            fn enabled(&self) -> bool {
                self.enabled
            }
            $(part! { @ $has $($what)? })+
        }
    };
    (@ only_with $part:ident) => {
        fn is_in(&self, stack: &crate::model::Stack) -> bool {
            self.enabled && stack.$part.enabled
        }
    };
    (@ unless $other:ident) => {
        fn is_in(&self, _stack: &crate::model::Stack) -> bool {
            self.enabled && !self.$other
        }
    };
    (@ metadata) => {
        fn metadata(&self) -> Option<(&crate::model::Labels, &crate::model::Annotations)> {
            Some((&self.labels, &self.annotations))
        }
    };
    (@ runs) => {
        fn pods(&self) -> Option<&dyn crate::model::HasPods> {
            Some(self)
        }
    };
    (@ operated) => {
        fn is_operated(&self) -> bool {
            true
        }
    };
    (@ service) => {
        fn service(&self) -> Option<crate::model::Service> {
            Some(self.effective_service())
        }
    };
    (@ ingress) => {
        fn ingress(&self) -> Option<crate::model::Entrance<'_>> {
            let ingress = &self.ingress;
            Some(crate::model::Entrance {
                enabled: ingress.enabled,
                class_name: ingress.class(),
                tls: ingress.tls.as_ref(),
                login: ingress.login(),
            })
        }
    };
    (@ volume) => {
        fn volumes(&self) -> Vec<&crate::model::Persistence> {
            vec![&self.persistence]
        }
    };
    (@ volumes) => {
        fn volumes(&self) -> Vec<&crate::model::Persistence> {
            self.volumes()
        }
    };
    (@ secrets) => {
        fn secrets(&self) -> Vec<&crate::units::DnsSubdomain> {
            self.secrets()
        }
    };
    (@ objects) => {
        fn uses_object_storage(&self) -> bool {
            self.uses_object_storage()
        }
    };
    (@ provides_objects) => {
        fn object_storage(&self) -> Option<&crate::model::AccessKeys> {
            self.object_storage()
        }
    };
    (@ foreign) => {
        fn foreign_namespaces(&self) -> Vec<&crate::units::DnsLabel> {
            self.foreign_namespaces()
        }
    };
    (@ files) => {
        fn files(&self) -> Vec<crate::beside::Beside<'_>> {
            self.files()
        }
        fn take_file(&mut self, at: usize, text: String) -> Result<(), String> {
            self.take_file(at, text)
        }
    };
    (@ origin) => {
        fn stands_at(&mut self, origin: crate::origin::Origin) {
            self.origin = origin;
        }
    };
    (@ namespace own) => {
        fn namespace<'a>(&'a self, _own: &'a crate::model::Namespaces) -> Option<&'a crate::units::DnsLabel> {
            Some(&self.namespace)
        }
        fn foreign_namespaces(&self) -> Vec<&crate::units::DnsLabel> {
            vec![&self.namespace]
        }
    };
    (@ namespace $name:ident) => {
        fn namespace<'a>(&'a self, own: &'a crate::model::Namespaces) -> Option<&'a crate::units::DnsLabel> {
            Some(own.$name())
        }
    };
    (@ rules $rules:ident) => {
        fn check(&self, stack: &crate::model::Stack, findings: &mut crate::findings::Findings) {
            crate::rules::$rules::check(self, stack, findings);
        }
    };
}

pub(super) use part;
