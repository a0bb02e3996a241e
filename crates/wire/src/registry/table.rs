//! How registries are written down: one line a code point.

/// Defines the type of a registry, its constants and its table. The lines rise by code, which a test
/// looks at.
macro_rules! code_points {
    (
        $(#[$doc:meta])*
        $type:ident($number:ty), $registry:literal, $grease:ident;
        $($constant:ident $(as $name:literal)? = $code:literal, $judgement:ident, $reference:literal;)*
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(pub $number);

        impl $type {
            $(
                #[doc = concat!("`", $crate::registry::table::name!($constant $($name)?), "`, ", $reference, ".")]
                pub const $constant: Self = Self($code);
            )*
        }

        impl $crate::registry::CodePoint for $type {
            const REGISTRY: &'static $crate::registry::Registry = &$crate::registry::Registry {
                name: $registry,
                octets: size_of::<$number>(),
                grease: $crate::registry::Grease::$grease,
                assignments: &[$(
                    $crate::registry::Assignment {
                        code: $code,
                        name: $crate::registry::table::name!($constant $($name)?),
                        reference: $reference,
                        judgement: $crate::registry::Judgement::$judgement,
                    },
                )*],
            };

            fn code(self) -> u64 {
                u64::from(self.0)
            }

            #[allow(clippy::cast_possible_truncation, reason = "it is said to be cut")]
            fn from_code(code: u64) -> Self {
                Self(code as $number)
            }
        }

        impl ::std::fmt::Display for $type {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                <Self as $crate::registry::CodePoint>::REGISTRY.show(u64::from(self.0), f)
            }
        }

        impl ::std::fmt::Debug for $type {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Display::fmt(self, f)
            }
        }
    };
}

/// The name of a code point: as it is written, or else that of the constant.
macro_rules! name {
    ($constant:ident $name:literal) => {
        $name
    };
    ($constant:ident) => {
        stringify!($constant)
    };
}

pub(super) use code_points;
pub(super) use name;
