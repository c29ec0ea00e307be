// Looks for the packages that the scripts of one folder import in another one.

let places;

export function initialize(data) {
  places = data;
}

export function resolve(specifier, context, next) {
  const isPackage = /^[@a-z]/.test(specifier) && !specifier.includes(':');
  const isOurs = context.parentURL?.startsWith(places.scripts);
  return next(specifier, isPackage && isOurs ? { ...context, parentURL: places.packages } : context);
}
