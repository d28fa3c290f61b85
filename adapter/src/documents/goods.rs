//! A document's goods into stock, each under the product that it is.

use super::purchase::Goods;
use crate::{
    stock::{
        Movement,
        pack::best_unit,
        product::{self, Item, Product},
    },
    store::Connection,
};

impl Goods {
    pub fn item<'a>(&'a self, supplier: &'a str) -> Item<'a> {
        Item { supplier, code: self.code.as_deref(), description: self.description.as_deref() }
    }
}

/// What goes into stock; products that nobody knows are proposed.
pub async fn movements(db: &mut Connection, business: &str, supplier: &str, goods: &[Goods]) -> sqlx::Result<Vec<Movement>> {
    let mut movements = Vec::new();
    for goods in goods {
        movements.extend(movement(db, business, supplier, goods).await?);
    }
    Ok(movements)
}

async fn movement(db: &mut Connection, business: &str, supplier: &str, goods: &Goods) -> sqlx::Result<Option<Movement>> {
    let known = product::matching(db, business, goods.item(supplier)).await?;
    if let Some(movement) = known.as_ref().and_then(|product| into(product, goods)) {
        return Ok(Some(movement));
    }
    let unit = best_unit(goods.pack, &goods.unit);
    let Some(quantity) = goods.pack.base_quantity(goods.quantity, &goods.unit, unit) else { return Ok(None) };
    let name = goods.description.as_deref().or(goods.code.as_deref()).unwrap_or_default().trim();
    let product_id = product::proposed_as(db, business, name, unit).await?;
    Ok(Some(Movement { product_id, quantity, value_minor: goods.value_minor }))
}

/// `None` where the product's unit can't be had from the line, as millilitres from "1 case".
fn into(product: &Product, goods: &Goods) -> Option<Movement> {
    let unit = product.unit.parse().ok()?;
    let quantity = goods.pack.base_quantity(goods.quantity, &goods.unit, unit)?;
    Some(Movement { product_id: product.product_id, quantity, value_minor: goods.value_minor })
}
