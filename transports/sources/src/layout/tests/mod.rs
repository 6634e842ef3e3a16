mod choices;
mod damage;
mod maker;
mod odd;
mod platforms;
mod referrers;
mod tars;
mod whole;
