//! Every `codigo` that a problem document can carry, with its status, its title and its page. One table: a code
//! without a page does not compile, and a page without a code fails a test.

use axum::http::StatusCode;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident $codigo:literal $status:ident $title:literal;)+) => {
        /// A stable, machine-readable reason. Clients branch on its text, so a text never changes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$doc])* $name,)+ }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Code] = &[$(Code::$name),+];

            /// The `codigo` of the problem document: upper snake case.
            pub fn text(self) -> &'static str {
                match self { $(Code::$name => $codigo,)+ }
            }

            /// The HTTP status that goes with it.
            pub fn status(self) -> StatusCode {
                match self { $(Code::$name => StatusCode::$status,)+ }
            }

            /// One short sentence for people, in Spanish; the same at every occurrence.
            pub fn title(self) -> &'static str {
                match self { $(Code::$name => $title,)+ }
            }

            /// The relative address of its page: the `type` of the problem document.
            pub fn page_address(self) -> &'static str {
                match self { $(Code::$name => concat!("/docs/errors/", $codigo),)+ }
            }

            /// Its page: Markdown, in Spanish.
            pub fn page(self) -> &'static str {
                match self { $(Code::$name =>
                    include_str!(concat!("../../../docs/errors/", $codigo, ".md")),)+ }
            }
        }
    };
}

codes! {
    /// A field of the body or a parameter is missing, of the wrong type or out of range.
    InvalidData "DATOS_INVALIDOS" UNPROCESSABLE_ENTITY "Hay datos que no son válidos";
    /// The body is not JSON.
    MalformedJson "JSON_INVALIDO" BAD_REQUEST "El cuerpo no es JSON válido";
    /// A header cannot be understood.
    InvalidHeader "CABECERA_INVALIDA" BAD_REQUEST "Una cabecera no es válida";
    /// A query parameter that only this API hands out is not one that it handed out.
    InvalidParameter "PARAMETRO_INVALIDO" BAD_REQUEST "Un parámetro de la dirección no es válido";
    /// The body's type is not JSON.
    UnsupportedType "TIPO_NO_SOPORTADO" UNSUPPORTED_MEDIA_TYPE "El cuerpo debe ser application/json";
    /// The body is over the limit.
    BodyTooLarge "CUERPO_DEMASIADO_GRANDE" PAYLOAD_TOO_LARGE "El cuerpo supera el tamaño permitido";
    /// The body did not arrive in time.
    RequestTimeout "TIEMPO_AGOTADO" REQUEST_TIMEOUT "El cuerpo no llegó a tiempo";
    /// Nothing is at this address.
    NotFound "NO_ENCONTRADO" NOT_FOUND "Aquí no hay nada";
    /// The address exists, the method does not.
    MethodNotAllowed "METODO_NO_PERMITIDO" METHOD_NOT_ALLOWED "Esta dirección no admite ese método";
    /// No valid token.
    Unauthenticated "NO_AUTENTICADO" UNAUTHORIZED "Hace falta identificarse";
    /// No such e-mail address and password. Which of the two is wrong nobody is told.
    InvalidCredentials "CREDENCIALES_INVALIDAS" UNAUTHORIZED "El correo o la contraseña no son correctos";
    /// A valid token without the right.
    Forbidden "SIN_PERMISO" FORBIDDEN "No tiene permiso para esto";
    /// No such user.
    UserNotFound "USUARIO_NO_ENCONTRADO" NOT_FOUND "El usuario no existe";
    /// No such show.
    ShowNotFound "EVENTO_NO_ENCONTRADO" NOT_FOUND "El evento no existe";
    /// No such hold, or another person's.
    HoldNotFound "BLOQUEO_NO_ENCONTRADO" NOT_FOUND "El bloqueo no existe";
    /// No such reservation.
    ReservationNotFound "RESERVA_NO_ENCONTRADA" NOT_FOUND "La reserva no existe";
    /// No such dead letter.
    LetterNotFound "MENSAJE_NO_ENCONTRADO" NOT_FOUND "No hay ningún mensaje muerto con ese identificador";
    /// The identity document belongs to a registered user.
    DocumentRegistered "DOCUMENTO_REGISTRADO" CONFLICT "El documento ya está registrado";
    /// The e-mail address belongs to a registered user.
    EmailRegistered "EMAIL_REGISTRADO" CONFLICT "El correo ya está registrado";
    /// Too few tickets left.
    SoldOut "SIN_DISPONIBILIDAD" CONFLICT "No quedan entradas suficientes";
    /// Some of the seats are held or sold.
    SeatsTaken "ASIENTOS_OCUPADOS" CONFLICT "Algunos asientos están ocupados";
    /// Over the limit per person.
    PurchaseLimit "LIMITE_DE_COMPRA" CONFLICT "Supera el límite de entradas por persona";
    /// The show is cancelled or has begun.
    ShowUnavailable "EVENTO_NO_DISPONIBLE" CONFLICT "El evento ya no está a la venta";
    /// The hold's deadline has passed.
    HoldExpired "BLOQUEO_VENCIDO" CONFLICT "El bloqueo ha vencido";
    /// The hold is being paid for, or was sold.
    HoldInUse "BLOQUEO_EN_USO" CONFLICT "El bloqueo ya se está pagando o se vendió";
    /// The reservation's state does not allow cancelling.
    NotCancellable "RESERVA_NO_CANCELABLE" CONFLICT "La reserva no se puede cancelar";
    /// The reservation was cancelled.
    ReservationCancelled "RESERVA_CANCELADA" CONFLICT "La reserva fue cancelada";
    /// The reservation was not settled before its deadline.
    ReservationExpired "RESERVA_VENCIDA" CONFLICT "La reserva no se completó a tiempo";
    /// The price is no longer what the buyer was quoted.
    PriceChanged "PRECIO_CAMBIADO" CONFLICT "El precio ha cambiado";
    /// The saga is not stuck.
    NotStuck "SAGA_NO_ATASCADA" CONFLICT "La reserva no está atascada";
    /// The person is forgotten.
    UserForgotten "USUARIO_OLVIDADO" GONE "Los datos de este usuario se borraron";
    /// The payment was declined.
    PaymentDeclined "PAGO_RECHAZADO" PAYMENT_REQUIRED "El pago fue rechazado";
    /// The idempotency key was used with another body.
    KeyReused "CLAVE_REUTILIZADA" UNPROCESSABLE_ENTITY "La clave de idempotencia ya se usó con otros datos";
    /// The read model has not reached the position in time.
    ReadLag "LECTURA_ATRASADA" SERVICE_UNAVAILABLE "La lectura aún no alcanza esa posición";
    /// Something that is needed does not answer.
    Unavailable "SERVICIO_NO_DISPONIBLE" SERVICE_UNAVAILABLE "El servicio no está disponible por ahora";
    /// Too much to do at once.
    Busy "OCUPADO" SERVICE_UNAVAILABLE "Hay demasiado trabajo en este momento";
    /// This caller asks too often.
    TooManyRequests "DEMASIADAS_SOLICITUDES" TOO_MANY_REQUESTS "Demasiadas solicitudes";
    /// A fault of ours.
    Internal "ERROR_INTERNO" INTERNAL_SERVER_ERROR "Ocurrió un error interno";
}

impl Code {
    /// The code with this text.
    pub fn parse(text: &str) -> Option<Code> {
        Self::ALL.iter().copied().find(|code| code.text() == text)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_page_belongs_to_a_code() {
        for entry in std::fs::read_dir("../../docs/errors").unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let stem = name.strip_suffix(".md").unwrap_or(&name);
            assert!(
                stem == "README" || Code::parse(stem).is_some(),
                "docs/errors/{name} belongs to no code"
            );
        }
    }

    #[test]
    fn every_page_names_its_code_and_status_and_says_what_to_do() {
        for code in Code::ALL {
            let page = code.page();
            assert!(
                page.starts_with(&format!("# {}\n", code.text())),
                "{}",
                code.text()
            );
            assert!(
                page.contains(&format!("HTTP {}", code.status().as_u16())),
                "{}",
                code.text()
            );
            for part in ["## Qué pasó", "## Qué hacer", "## Ejemplo"] {
                assert!(page.contains(part), "{} has no {part}", code.text());
            }
        }
    }

    #[test]
    fn texts_are_unique_and_upper_snake_case() {
        let mut texts: Vec<_> = Code::ALL.iter().map(|code| code.text()).collect();
        assert!(
            texts
                .iter()
                .all(|text| text.bytes().all(|b| b.is_ascii_uppercase() || b == b'_'))
        );
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), Code::ALL.len());
    }
}
