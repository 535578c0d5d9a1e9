//! Reading of JSON objects of which a few members are wanted and all must be sound.

use std::borrow::Cow;
use std::fmt;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Declares a struct that is read from an object.
///
/// An absent member and null are the same. A member of another type or that comes twice is an
/// error. Unlike with serde's own derive, members that are not declared are checked as strictly as
/// if they were parsed into a [`Value`]: depth, range of numbers, surrogates.
macro_rules! strict_object {
    (
        $(#[$doc:meta])*
        $name:ident $(<$life:lifetime>)? { $($key:literal => $field:ident: $type:ty,)* }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Default)]
        pub(super) struct $name $(<$life>)? { $(pub(super) $field: Option<$type>,)* }

        impl<'de $(: $life, $life)?> serde::de::Deserialize<'de> for $name $(<$life>)? {
            fn deserialize<D: serde::de::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                struct StrictVisitor $(<$life>)? (std::marker::PhantomData<$name $(<$life>)?>);

                impl<'de $(: $life, $life)?> serde::de::Visitor<'de> for StrictVisitor $(<$life>)? {
                    type Value = $name $(<$life>)?;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>)
                        -> std::fmt::Result
                    {
                        formatter.write_str("an object")
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A)
                        -> Result<Self::Value, A::Error>
                    {
                        $(let mut $field: Option<Option<$type>> = None;)*
                        while let Some(key) = map.next_key::<&'de str>()? {
                            match key {
                                $($key => {
                                    if $field.replace(map.next_value()?).is_some() {
                                        return Err(serde::de::Error::duplicate_field($key));
                                    }
                                })*
                                _ => {
                                    map.next_value::<$crate::capture::litellm::fast::strict::Sound>()?;
                                }
                            }
                        }
                        Ok($name { $($field: $field.flatten(),)* })
                    }
                }

                from.deserialize_map(StrictVisitor(std::marker::PhantomData))
            }
        }
    };
}

pub(super) use strict_object;

/// Any value, read for its soundness alone.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Sound;

impl<'de> Deserialize<'de> for Sound {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Sound)
    }
}

impl<'de> Visitor<'de> for Sound {
    type Value = Sound;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Sound, E> {
        Ok(Sound)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Sound, E> {
        Ok(Sound)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Sound, E> {
        Ok(Sound)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Sound, E> {
        Ok(Sound)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Sound, E> {
        Ok(Sound)
    }

    fn visit_str<E>(self, _: &str) -> Result<Sound, E> {
        Ok(Sound)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Sound, A::Error> {
        while items.next_element::<Sound>()?.is_some() {}
        Ok(Sound)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Sound, A::Error> {
        while members.next_entry::<Sound, Sound>()?.is_some() {}
        Ok(Sound)
    }
}

/// A text, borrowed from the input where it has no escapes there.
#[derive(Debug)]
pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(TextVisitor).map(Text)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Cow<'de, str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a text")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

/// A text, or whatever else there is.
#[derive(Debug)]
pub(super) enum Slot<'a> {
    /// A text, borrowed where it has no escapes.
    Text(Cow<'a, str>),
    /// Anything but a text.
    Other(Value),
}

impl Slot<'_> {
    /// The same as a value of its own.
    pub(super) fn into_value(self) -> Value {
        match self {
            Slot::Text(text) => Value::String(text.into_owned()),
            Slot::Other(value) => value,
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Slot<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(SlotVisitor)
    }
}

struct SlotVisitor;

impl<'de> Visitor<'de> for SlotVisitor {
    type Value = Slot<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Slot<'de>, E> {
        Ok(Slot::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Slot<'de>, E> {
        Ok(Slot::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_unit<E>(self) -> Result<Slot<'de>, E> {
        Ok(Slot::Other(Value::Null))
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Slot<'de>, E> {
        Ok(Slot::Other(Value::Bool(flag)))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Slot<'de>, E> {
        Ok(Slot::Other(Value::from(number)))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Slot<'de>, E> {
        Ok(Slot::Other(Value::from(number)))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Slot<'de>, E> {
        Ok(Slot::Other(Value::from(number)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Slot<'de>, A::Error> {
        Value::deserialize(SeqAccessDeserializer::new(items)).map(Slot::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Slot<'de>, A::Error> {
        Value::deserialize(MapAccessDeserializer::new(members)).map(Slot::Other)
    }
}

/// All members of an object, as they come.
#[derive(Debug, Default)]
pub(super) struct Members<'a>(pub(super) Vec<(Cow<'a, str>, Slot<'a>)>);

impl Members<'_> {
    /// The same as a value; of members of one name the last counts, as in any JSON object here.
    pub(super) fn into_value(self) -> Value {
        let members = self.0.into_iter();
        let members: Map<String, Value> =
            members.map(|(name, slot)| (name.into_owned(), slot.into_value())).collect();
        Value::Object(members)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct MembersVisitor;

        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::with_capacity(4);
                while let Some(Text(name)) = map.next_key()? {
                    members.push((name, map.next_value()?));
                }
                Ok(Members(members))
            }
        }

        from.deserialize_map(MembersVisitor)
    }
}
