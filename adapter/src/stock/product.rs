//! The products of a business.

use std::collections::{BTreeSet, HashMap};

use sqlx::{Row as _, any::AnyRow};

use super::{Unit, UnitError, pack};
use crate::store::{
    Connection, StoreError,
    rows::{
        Column::{self, Text},
        Rows,
    },
};

/// Those of the given products (business, name, unit) that are there and no proposals.
pub async fn known_as<'a>(
    db: &mut Connection,
    names: impl Iterator<Item = (&'a str, &'a str, Unit)>,
) -> Result<HashMap<(String, String, Unit), i64>, StoreError> {
    const NAMES: [Column; 3] = [Text("given_business"), Text("given_name"), Text("given_unit")];
    let mut given = Rows::new(db, NAMES);
    for (business, name, unit) in names.collect::<BTreeSet<_>>() {
        given.push([business.into(), name.into(), unit.name().into()]);
    }
    if given.is_empty() {
        return Ok(HashMap::new());
    }
    let select = format!(
        "SELECT business_id, name, unit, product_id FROM {} JOIN products \
         ON business_id = given_business AND name = given_name AND unit = given_unit WHERE proposed = 0",
        given.source()
    );
    let product = |row: AnyRow| {
        let unit: String = row.try_get(2)?;
        let unit = unit.parse().map_err(|error: UnitError| StoreError::Corrupt { what: "unit", source: Box::new(error) })?;
        Ok(((row.try_get(0)?, row.try_get(1)?, unit), row.try_get(3)?))
    };
    given.query(select).fetch_all(db).await?.into_iter().map(product).collect()
}

/// The product that the till calls `name`; made where it is new. What the till sells is no proposal any more.
pub async fn sold_as(db: &mut Connection, business: &str, name: &str, unit: Unit) -> sqlx::Result<i64> {
    let known: Option<(i64, i64)> =
        sqlx::query_as("SELECT product_id, proposed FROM products WHERE business_id = $1 AND name = $2 AND unit = $3")
            .bind(business)
            .bind(name)
            .bind(unit.name())
            .fetch_optional(&mut *db)
            .await?;
    match known {
        Some((product_id, 0)) => Ok(product_id),
        Some((product_id, _)) => {
            confirm(db, business, product_id).await?;
            Ok(product_id)
        }
        None => match proposal_of(db, business, name, unit).await? {
            Some(product_id) => adopt(db, business, product_id, name).await,
            None => add(db, business, name, unit, false).await,
        },
    }
}

/// What a supplier calls `Stout 50L Keg` before the till has sold a `Stout`.
async fn proposal_of(db: &mut Connection, business: &str, name: &str, unit: Unit) -> sqlx::Result<Option<i64>> {
    let name = pack::bare_name(name);
    let same = |product: &Product| product.proposed && product.unit == unit.name() && pack::bare_name(&product.name) == name;
    Ok(all(db, business).await?.into_iter().find(same).map(|product| product.product_id))
}

/// The proposal is the till's product: it takes its name, and its stock stays where it is.
async fn adopt(db: &mut Connection, business: &str, product_id: i64, name: &str) -> sqlx::Result<i64> {
    let rename = "UPDATE products SET name = $1, proposed = 0 WHERE business_id = $2 AND product_id = $3";
    sqlx::query(rename).bind(name).bind(business).bind(product_id).execute(db).await?;
    Ok(product_id)
}

/// A product that is no proposal any more.
pub async fn confirm(db: &mut Connection, business: &str, product_id: i64) -> sqlx::Result<()> {
    let confirm = "UPDATE products SET proposed = 0 WHERE business_id = $1 AND product_id = $2";
    sqlx::query(confirm).bind(business).bind(product_id).execute(db).await?;
    Ok(())
}

/// The product that a supplier's description names; proposed where it is new.
pub async fn proposed_as(db: &mut Connection, business: &str, name: &str, unit: Unit) -> sqlx::Result<i64> {
    let select = "SELECT product_id FROM products WHERE business_id = $1 AND name = $2 AND unit = $3";
    match sqlx::query_scalar(select).bind(business).bind(name).bind(unit.name()).fetch_optional(&mut *db).await? {
        Some(product_id) => Ok(product_id),
        None => add(db, business, name, unit, true).await,
    }
}

/// A new product; `proposed` until a person or the till confirms it.
pub async fn add(db: &mut Connection, business: &str, name: &str, unit: Unit, proposed: bool) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "INSERT INTO products SELECT $1, coalesce(max(product_id), 0) + 1, $2, $3, $4 FROM products WHERE business_id = $1 RETURNING product_id",
    )
    .bind(business)
    .bind(name)
    .bind(unit.name())
    .bind(i64::from(proposed))
    .fetch_one(db)
    .await
}

/// A supplier's item as an invoice line names it.
#[derive(Debug, Clone, Copy)]
pub struct Item<'a> {
    /// Under which the business's aliases of this supplier are kept.
    pub supplier: &'a str,
    pub code: Option<&'a str>,
    pub description: Option<&'a str>,
}

/// A product of the business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    pub product_id: i64,
    pub name: String,
    pub unit: String,
    pub proposed: bool,
}

/// The columns `product_id, name, unit, proposed`.
type ProductRow = (i64, String, String, i64);

impl From<ProductRow> for Product {
    fn from((product_id, name, unit, proposed): ProductRow) -> Self {
        Self { product_id, name, unit, proposed: proposed != 0 }
    }
}

/// The product that an item is: by the supplier's code, then by what was learnt of its description, then by its name.
pub async fn matching(db: &mut Connection, business: &str, item: Item<'_>) -> sqlx::Result<Option<Product>> {
    for (kind, value) in keys(item) {
        let select = "SELECT product_id, name, unit, proposed FROM product_aliases JOIN products USING (business_id, product_id) \
            WHERE business_id = $1 AND supplier = $2 AND kind = $3 AND item = $4";
        let query = sqlx::query_as::<_, ProductRow>(select).bind(business).bind(item.supplier).bind(kind).bind(value);
        if let Some(product) = query.fetch_optional(&mut *db).await? {
            return Ok(Some(product.into()));
        }
    }
    let Some(description) = item.description else { return Ok(None) };
    let name = pack::bare_name(description);
    let products = all(db, business).await?;
    // What the till sells goes before what another invoice proposed.
    Ok(products.into_iter().filter(|product| pack::bare_name(&product.name) == name).min_by_key(|product| product.proposed))
}

/// Remembers that an item is a product.
pub async fn learn(db: &mut Connection, business: &str, item: Item<'_>, product_id: i64) -> sqlx::Result<()> {
    for (kind, value) in keys(item) {
        sqlx::query(
            "INSERT INTO product_aliases VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (business_id, supplier, kind, item) DO UPDATE SET product_id = excluded.product_id",
        )
        .bind(business)
        .bind(item.supplier)
        .bind(kind)
        .bind(value)
        .bind(product_id)
        .execute(&mut *db)
        .await?;
    }
    Ok(())
}

/// The products of a business, by name.
pub async fn all(db: &mut Connection, business: &str) -> sqlx::Result<Vec<Product>> {
    let select = "SELECT product_id, name, unit, proposed FROM products WHERE business_id = $1 ORDER BY name, unit";
    let rows: Vec<ProductRow> = sqlx::query_as(select).bind(business).fetch_all(db).await?;
    Ok(rows.into_iter().map(Product::from).collect())
}

/// Why a name that a person wrote is no product.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("there is no product {name:?}; there are: {known}")]
    Unknown { name: String, known: String },
    #[error("{name:?} is counted in several units: say {name} (ml), {name} (g) or {name} (each)")]
    SeveralUnits { name: String },
}

/// The product that a person means: by its name in any case, with its unit in brackets where two share the name.
pub fn named<'a>(products: &'a [Product], name: &str) -> Result<&'a Product, NameError> {
    let is_meant = |product: &&Product| {
        let with_unit = format!("{} ({})", product.name, product.unit);
        [product.name.as_str(), &with_unit].iter().any(|known| normalised(known) == normalised(name))
    };
    let mut meant = products.iter().filter(is_meant);
    let names = || products.iter().map(|product| product.name.as_str()).collect::<Vec<_>>().join(", ");
    let first = meant.next().ok_or_else(|| NameError::Unknown { name: name.to_owned(), known: names() })?;
    if meant.next().is_some() { Err(NameError::SeveralUnits { name: name.to_owned() }) } else { Ok(first) }
}

/// Words in lower case with single spaces: how names are compared.
pub fn normalised(text: &str) -> String {
    text.to_lowercase().split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn keys(item: Item<'_>) -> impl Iterator<Item = (&'static str, String)> {
    let code = item.code.map(|code| ("code", normalised(code)));
    code.into_iter().chain(item.description.map(|description| ("description", normalised(description)))).filter(|(_, key)| !key.is_empty())
}
