/** The first query to try, as the member Mika. README shows its answer: only what stays the same from day to day. */
export const firstQuery = `{
  viewer {
    member {
      displayName
      stage { name }
      wallet { available }
      purchases(first: 1) { nodes { orderId total currency lines { name quantity } } }
    }
  }
}`
