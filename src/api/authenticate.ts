/** Reads one header of a request, by its lower-case name; several of the same name are joined by `, `. */
export type HeaderReader = (name: string) => string | undefined;

/**
 * Names the tenant who calls, from the headers of the request. Throws `ApiError` with `UNAUTHENTICATED` or
 * `PERMISSION_DENIED` to refuse the call before its body is read. Answer at once where possible: every call waits for it.
 */
export type Authenticate = (header: HeaderReader) => string | Promise<string>;

/** Everybody is the tenant `default`: what a server without auth uses, which therefore listens on loopback only. */
export const everybodyIsDefault: Authenticate = () => 'default';
