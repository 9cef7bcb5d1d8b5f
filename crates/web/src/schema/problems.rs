//! The problem document, described; [`crate::problem::Problem`] writes it.

use utoipa::ToSchema;

/// Un problema (RFC 9457). `codigo` es estable; `type` apunta a la página que lo explica.
#[derive(ToSchema)]
pub struct Problema {
    /// La página del código.
    #[schema(rename = "type", example = "/docs/errors/SIN_DISPONIBILIDAD")]
    pub tipo: String,
    /// Una frase corta, siempre la misma para el mismo código.
    pub title: String,
    /// El estado HTTP.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// Qué pasó esta vez.
    #[schema(required = false)]
    pub detail: Option<String>,
    /// El código, en mayúsculas.
    #[schema(pattern = "^[A-Z_]+$")]
    pub codigo: String,
    /// Los campos que no son válidos.
    #[schema(required = false)]
    pub errores: Option<Vec<ErrorDeCampo>>,
}

/// Un campo que no es válido.
#[derive(ToSchema)]
pub struct ErrorDeCampo {
    /// La ruta del campo.
    pub campo: String,
    /// Qué le pasa.
    pub mensaje: String,
}
