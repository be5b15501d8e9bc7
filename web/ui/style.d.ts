/** Styles are files of their own; importing one makes the bundler take it along. */
declare module "*.css" {}
