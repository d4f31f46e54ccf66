import { graphql } from 'relay-runtime';

export const query = graphql`
  query timelineQuery($first: Int, $after: String, $last: Int, $before: String) {
    ...timeline_page @arguments(first: $first, after: $after, last: $last, before: $before)
  }
`;

export const page = graphql`
  fragment timeline_page on Query
  @refetchable(queryName: "timelinePageQuery")
  @argumentDefinitions(
    first: { type: "Int" }
    after: { type: "String" }
    last: { type: "Int" }
    before: { type: "String" }
  ) {
    timeline(first: $first, after: $after, last: $last, before: $before)
      @connection(key: "judge_timeline") {
      edges {
        node {
          id
          text
        }
      }
    }
  }
`;
